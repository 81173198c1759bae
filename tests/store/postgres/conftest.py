"""Two stores on one schema, as two processes have them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from runstead.store.postgres import PostgresStore
from tests.support.postgres import place, server
from tests.support.waiting import until

Make = Callable[..., PostgresStore]
Waiting = Callable[[int], Awaitable[None]]


@pytest.fixture
def schema(tmp_path: Path) -> str:
    return place(tmp_path)


@pytest.fixture
def make(schema: str) -> Make:
    """Makes stores, not started, over the test's own schema."""
    return lambda **options: PostgresStore(server().url, **{"schema": schema, **options})


@pytest.fixture
async def first(make: Make) -> AsyncIterator[PostgresStore]:
    store = make()
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def second(make: Make, first: PostgresStore) -> AsyncIterator[PostgresStore]:
    store = make()
    await store.start()
    yield store
    await store.stop()


@pytest.fixture
async def admin(schema: str) -> AsyncIterator[Any]:
    """A connection of another program."""
    connection = await asyncpg.connect(server().url, server_settings={"search_path": schema})
    yield connection
    await connection.close()


@pytest.fixture
async def waiting() -> AsyncIterator[Waiting]:
    """Waits until so many transactions wait for locks."""
    observer = await asyncpg.connect(server().url)

    async def until_waiting(number: int) -> None:
        async def are() -> bool:
            counted = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return bool(await observer.fetchval(counted) == number)

        await until(are)

    yield until_waiting
    await observer.close()
