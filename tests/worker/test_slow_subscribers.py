"""A slow subscriber does not delay the run."""

from runstead.broker.subscriber import BACKLOG
from runstead.llm.scripted import Gate, say
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import names, world


async def test_a_subscriber_that_never_reads_does_not_delay_the_run() -> None:
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
