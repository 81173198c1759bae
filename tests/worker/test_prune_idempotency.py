"""Idempotency records are removed when they have expired."""

from collections.abc import AsyncIterator

import pytest

from runstead.domain.access import DEFAULT_PROJECT
from runstead.domain.idempotency import DAY, MINUTE, Replay, digest, with_key, with_retry_count
from runstead.engine.adapters import Adapters
from runstead.engine.resources.project import Project
from runstead.wire.message import MessageRequest
from runstead.worker.maintenance.prune_idempotency import prune_idempotency_once
from tests.support.clock import ManualClock
from tests.support.waiting import until
from tests.support.worlds import adapters_of, world


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def adapters(clock: ManualClock) -> AsyncIterator[Adapters]:
    """A store without maintenance loops."""
    adapters = adapters_of(clock=clock)
    await adapters.store.start()
    yield adapters
    await adapters.store.stop()


async def test_idempotency_records_are_pruned_when_they_expire(adapters: Adapters, clock: ManualClock) -> None:
    project = Project(adapters, DEFAULT_PROJECT)
    for number in range(700):
        await project.once(with_key(f"k{number}", b"")).create_thread()
    await clock.advance(DAY - 1)
    assert await prune_idempotency_once(adapters) == 0
    await clock.advance(1)
    assert await prune_idempotency_once(adapters) == 700
    assert await prune_idempotency_once(adapters) == 0


async def test_requests_with_retry_counts_keep_one_record_a_thread(adapters: Adapters, clock: ManualClock) -> None:
    project = Project(adapters, DEFAULT_PROJECT)
    thread = await project.create_thread()
    for number in range(10):
        asked = with_retry_count(0, digest(b"%d" % number), thread.id)
        await project.once(asked).create_message(thread.id, MessageRequest(role="user", content=str(number)))
    await clock.advance(MINUTE)
    assert await prune_idempotency_once(adapters) == 1


async def test_a_process_with_a_worker_prunes_by_itself() -> None:
    async with world() as here:
        await here.project.once(with_key("k", b"")).create_thread()
        with pytest.raises(Replay):
            await here.project.once(with_key("k", b"")).create_thread()
        await here.clock.advance(DAY)

        async def gone() -> bool:
            return await here.adapters.store.write(lambda tx: tx.idempotency.get(DEFAULT_PROJECT, "key k", 0)) is None

        await until(gone)
