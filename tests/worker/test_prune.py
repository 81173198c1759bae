"""What was kept for a time only is removed when that is over."""

from collections.abc import AsyncIterator

import pytest

from runstead.domain.once import DAY, MINUTE, Repeated, digest_of, keyed, tried
from runstead.engine.ports import Ports
from runstead.engine.project import Project
from runstead.wire.message import MessageRequest
from runstead.worker.maintenance.prune import forget_answers
from tests.support.clock import ManualClock
from tests.support.waiting import until
from tests.support.worlds import ports_of, world


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def ports(clock: ManualClock) -> AsyncIterator[Ports]:
    """A store, and nobody who looks after it."""
    ports = ports_of(clock=clock)
    await ports.store.start()
    yield ports
    await ports.store.stop()


async def test_every_answer_is_removed_in_its_time(ports: Ports, clock: ManualClock) -> None:
    project = Project(ports, "default")
    for number in range(700):
        await project.once(keyed(f"k{number}", b"")).create_thread()
    await clock.advance(DAY - 1)
    assert await forget_answers(ports) == 0
    await clock.advance(1)
    assert await forget_answers(ports) == 700
    assert await forget_answers(ports) == 0


async def test_of_those_who_count_their_tries_one_answer_a_thread_is_kept(ports: Ports, clock: ManualClock) -> None:
    project = Project(ports, "default")
    thread = await project.create_thread()
    for number in range(10):
        asked = tried(0, digest_of(b"%d" % number), thread.id)
        await project.once(asked).create_message(thread.id, MessageRequest(role="user", content=str(number)))
    await clock.advance(MINUTE)
    assert await forget_answers(ports) == 1


async def test_a_process_that_works_removes_them_by_itself() -> None:
    async with world() as here:
        await here.project.once(keyed("k", b"")).create_thread()
        with pytest.raises(Repeated):
            await here.project.once(keyed("k", b"")).create_thread()
        await here.clock.advance(DAY)

        async def gone() -> bool:
            return await here.ports.store.write(lambda tx: tx.answers.get("default", "key k", 0)) is None

        await until(gone)
