"""The server's clock is the clock of every process, whatever its machine says."""

import time
from typing import Any

import pytest

from runstead.store.postgres import clock
from tests.store.postgres.conftest import Make
from tests.support.waiting import until

CLOSE = 1.0
"""Seconds by which a reading may differ from the server's clock on a busy machine."""


async def server_time(admin: Any) -> float:
    return float(await admin.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8"))


@pytest.mark.parametrize("wrong", [-300.0, 0.0, 300.0, 1e8])
async def test_a_store_tells_the_time_of_its_server(
    make: Make, admin: Any, wrong: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = time.time  # noqa: TID251 - the very one that must not count
    monkeypatch.setattr(time, "time", lambda: machine() + wrong)
    store = make()
    with pytest.raises(RuntimeError, match="not read yet"):
        store.clock.time()
    await store.start()
    assert abs(store.clock.time() - await server_time(admin)) < CLOSE
    monkeypatch.setattr(time, "time", lambda: machine() - wrong)  # the machine's clock is set
    assert abs(store.clock.time() - await server_time(admin)) < CLOSE
    await store.stop()


async def test_the_server_is_asked_again_and_again(make: Make, admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_PERIOD", 0.01)
    store = make()
    await store.start()
    assert store.clock._ahead is not None
    store.clock._ahead += 300.0

    async def right() -> bool:
        return abs(store.clock.time() - await server_time(admin)) < CLOSE

    await until(right)
    await store.stop()


async def test_a_reading_that_took_long_changes_nothing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make()
    await store.start()
    before = store.clock._ahead
    monkeypatch.setattr(clock, "_SLOW", 0.0)
    assert store._connections is not None
    async with store._connections.one() as connection:
        await store.clock.read(connection.session)
    assert store.clock._ahead == before
    await store.stop()
