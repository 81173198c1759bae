"""The start of a run."""

from runstead.domain.access import DEFAULT_PROJECT
from runstead.engine.execution.claimed_run import claim
from runstead.engine.resources.project import Project
from runstead.wire.assistant import AssistantRequest
from runstead.wire.run import RunRequest
from runstead.wire.thread import ThreadRequest
from tests.support.clock import START, ManualClock
from tests.support.worlds import adapters_of, world


class SlowClock(ManualClock):
    """While `slow`, five seconds pass between two readings, as in a claim that waits for the database."""

    slow = False

    def time(self) -> float:
        self._time += 5 * self.slow
        return self._time


async def test_a_run_starts_after_it_was_found_however_long_the_search_took() -> None:
    """Otherwise it could start before the end of the run that it waited for, which was stored during the search."""
    clock = SlowClock()
    adapters = adapters_of(clock=clock)
    await adapters.store.start()
    try:
        project = Project(adapters, DEFAULT_PROJECT, None)
        assistant = await project.create_assistant(AssistantRequest(model="some-model", instructions="Go on."))
        thread = await project.create_thread(ThreadRequest())
        run = await project.create_run(thread.id, RunRequest(assistant_id=assistant.id))
        clock.slow = True
        claimed = await claim(adapters, run.id, "worker")
    finally:
        await adapters.store.stop()
    assert claimed is not None
    assert claimed.run.started_at is not None
    assert claimed.run.started_at >= START + 10, "the search began 5 seconds after the creation"


async def test_a_run_claimed_at_its_creation_starts_after_the_thread_was_found_idle() -> None:
    """Otherwise it could start before the end of a run that was active when its creation began."""
    clock = SlowClock()
    async with world(["Yes."], clock=clock) as here:
        run = await here.start()
        assert (await here.ended(run)).status == "completed"
        clock.slow = True
        after = await here.again(run, on_busy="enqueue")
        started = (await here.ended(after)).started_at
    assert started is not None
    assert started >= after.created_at + 5
