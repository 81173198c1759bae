"""Who listens to a run does not hold it up, however slowly."""

from runstead.broker.subscriber import BACKLOG
from runstead.llm.script import Gate, say
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import names, world


async def test_a_run_ends_though_a_listener_never_reads_and_the_listener_misses_nothing_that_is_kept() -> None:
    gate, many = Gate(), 2 * BACKLOG
    async with world([[gate, say(*["x"] * many)]]) as here:
        run = await here.start()
        slow = here.project.run_events(run.thread_id, run.id)
        events = [await anext(slow)]
        gate.open()

        async def completed() -> bool:
            return (await here.now(run)).status == "completed"

        await until(completed)
        async with within():
            events += [event async for event in slow]
        assert names(events)[-3:] == ["message.completed", "run.step.completed", "run.completed"]
        assert len(events) < many, "it was not all kept for who does not read"
        Reader().read(events)
