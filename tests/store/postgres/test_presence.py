"""A worker whose process is gone is missed at once; one that only lost its connection is not, nor all when the server
comes back.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runstead.store.postgres import PostgresStore
from runstead.wire.error import RunsteadError
from tests.store.postgres.conftest import Make
from tests.support.postgres import Server
from tests.support.waiting import until, within

HELD = """
SELECT pid FROM pg_locks JOIN workers ON presence = (classid::bigint << 32) | objid::bigint
 WHERE locktype = 'advisory' AND granted AND name = $1
"""


@pytest.fixture
def own() -> Iterator[Server]:
    """A server of the test's own."""
    server = Server()
    server.start()
    yield server
    server.remove()


@pytest.fixture
async def old_enough(admin: Any) -> None:
    """The shared server has been there for longer than the leases of these tests."""

    async def is_old() -> bool:
        return bool(
            await admin.fetchval("SELECT pg_postmaster_start_time() + interval '2 seconds' < clock_timestamp()")
        )

    await until(is_old)


@asynccontextmanager
async def living(store: PostgresStore, name: str, lease: float = 2) -> AsyncIterator[None]:
    async with store.presence(name):
        await store.write(lambda tx: tx.workers.register(name, lease))
        yield


async def absent(store: PostgresStore, observer: str = "me") -> list[str]:
    return await store.read(lambda tx: tx.workers.expired(observer))


@pytest.mark.usefixtures("old_enough")
async def test_a_worker_whose_process_ends_expires_before_its_lease_is_over(first: PostgresStore, admin: Any) -> None:
    async with within(), living(first, "worker_2"):
        async with living(first, "worker_1"):
            assert await absent(first) == []

        async def missed() -> bool:
            return await absent(first) == ["worker_1"]

        await until(missed)
        assert await admin.fetchval("SELECT until > clock_timestamp() FROM workers WHERE name = 'worker_1'")


async def test_a_session_that_is_lost_is_opened_again(first: PostgresStore, admin: Any) -> None:
    async with within(), living(first, "worker_1"):
        before = await admin.fetchval(HELD, "worker_1")
        await admin.execute("SELECT pg_terminate_backend($1)", before)

        async def back() -> bool:
            return await admin.fetchval(HELD, "worker_1") not in {None, before}

        await until(back)

    async def free() -> bool:
        return await admin.fetchval(HELD, "worker_1") is None

    async with within():
        await until(free)


@pytest.mark.usefixtures("old_enough")
async def test_an_observer_that_just_lost_its_session_expires_no_worker(first: PostgresStore, admin: Any) -> None:
    async with within(), living(first, "observer"):
        async with living(first, "worker_1"):
            pass

        async def missed() -> bool:
            return "worker_1" in await absent(first, "observer")

        await until(missed)
        await admin.execute("SELECT pg_terminate_backend($1)", await admin.fetchval(HELD, "observer"))

        async def silent() -> bool:
            return await absent(first, "observer") == []

        await until(silent)
        assert "worker_1" in await absent(first, "another")
        await until(missed)


@pytest.mark.usefixtures("old_enough")
async def test_an_observer_without_a_session_expires_no_worker_without_one(first: PostgresStore) -> None:
    """As when one process of the server dies: it ends all sessions, and has been there all the time."""
    for name in ("observer", "worker_1"):
        await first.write(lambda tx, name=name: tx.workers.register(name, 2))  # type: ignore[misc]
    assert await absent(first, "another") == ["observer", "worker_1"]
    assert await absent(first, "observer") == []


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_no_worker_expires_before_the_server_is_back_for_a_lease(own: Server, end: str) -> None:
    store = PostgresStore(own.url, patience=15)
    await store.start()
    loop = asyncio.get_running_loop()
    async with within(40), store.presence("worker_1"):
        await store.write(lambda tx: tx.workers.register("worker_1", 1))
        await asyncio.to_thread(getattr(own, end))
        starting = loop.time()
        await asyncio.to_thread(own.start)
        assert await absent(store) == [], "its lease is over, and its lock may not be back"

        async def missed() -> bool:
            return await absent(store) == ["worker_1"]

        await until(missed)
        assert loop.time() - starting >= 1
        assert await store.write(lambda tx: tx.workers.heartbeat("worker_1", 30))
        assert await absent(store) == [], "its lock is back"
    await store.stop()


async def test_without_a_server_entering_fails_at_once(own: Server) -> None:
    store = PostgresStore(own.url)
    await store.start()
    await asyncio.to_thread(own.stop)
    with pytest.raises(RunsteadError, match="cannot reach postgresql://"):
        async with store.presence("worker_1"):
            pass
    await store.stop()


async def test_workers_of_one_name_in_two_schemas_do_not_wait_for_each_other(make: Make, schema: str) -> None:
    one, other = make(), make(schema=f"{schema}_2")
    await one.start()
    await other.start()
    async with within(), living(one, "worker_1"), living(other, "worker_1"):
        pass
    await other.stop()
    await one.stop()
