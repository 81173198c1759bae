"""The server's clock is the clock of every process, whatever its machine says."""

import time
from typing import Any

import pytest

from runstead.store.postgres import clock
from runstead.store.postgres.clock import Reading, ServerClock
from tests.store.postgres.conftest import Make
from tests.support.waiting import until

CLOSE = 1.0
"""Seconds by which a reading may differ from the server's clock on a busy machine."""


async def server_time(admin: Any) -> float:
    return float(await admin.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8"))


@pytest.mark.parametrize("wrong", [-300.0, 0.0, 300.0, 1e8])
async def test_the_time_of_a_store_is_that_of_its_server(
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
    assert store.clock._last is not None
    store.clock._last = store.clock._last._replace(ahead=store.clock._last.ahead + 300.0)

    async def right() -> bool:
        return abs(store.clock.time() - await server_time(admin)) < CLOSE

    await until(right)
    await store.stop()


def test_the_surest_reading_counts_until_it_is_old() -> None:
    shown = ServerClock()
    shown.take(Reading(ahead=1000.0, error=0.001, at=50.0))
    shown.take(Reading(ahead=1000.2, error=0.3, at=60.0))
    assert shown._last == Reading(1000.0, 0.001, 50.0)  # an answer that took long says less than is known
    shown.take(Reading(ahead=1000.001, error=0.0015, at=70.0))
    assert shown._last == Reading(1000.001, 0.0015, 70.0)
    shown.take(Reading(ahead=1000.01, error=0.02, at=400.0))
    assert shown._last.ahead == 1000.01


@pytest.mark.parametrize("jump", [-5.0, 5.0, 1e6])
def test_a_server_whose_clock_was_set_is_followed_at_once(jump: float) -> None:
    shown = ServerClock()
    shown.take(Reading(ahead=1000.0, error=0.001, at=50.0))
    shown.take(Reading(ahead=1000.0 + jump, error=0.5, at=60.0))
    assert shown._last is not None
    assert shown._last.ahead == 1000.0 + jump
