"""Cancelling a run in each state."""

import asyncio
import time

import pytest

from runstead.llm.scripted import Gate, call, say
from runstead.store.sqlite import SqliteStore
from runstead.wire.error import BadRequest
from runstead.wire.run import Run, RunRequest, Status
from tests.support.reader import Reader
from tests.support.slow_answers import SlowAnswers
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of, world


async def cancel(here: World, run: Run) -> Run:
    return await here.project.cancel(run.thread_id, run.id)


async def refused(here: World, run: Run) -> str:
    with pytest.raises(BadRequest) as error:
        await cancel(here, run)
    return error.value.message


async def test_a_queued_run_is_cancelled_at_once() -> None:
    gate = Gate()
    async with world([gate], slots=1) as here:
        busy = await here.start()
        async with within():
            await gate.reached.wait()
        run = await here.start()
        assert (await cancel(here, run)).status == "cancelling"
        assert (await here.now(run)).status == "cancelled"
        assert names(await here.events(run)) == ["run.created", "run.queued", "run.cancelling", "run.cancelled"]
        assert (await here.now(run)).usage is not None
        assert (await here.now(busy)).status == "in_progress"


async def test_a_stream_of_a_queued_run_ends_at_once() -> None:
    gate = Gate()
    async with world([gate], slots=1) as here:
        await here.start()
        async with within():
            await gate.reached.wait()
        run = await here.start()
        stream = here.project.run_events(run.thread_id, run.id)
        events = [await anext(stream)]
        await cancel(here, run)
        async with within(2):
            events += [event async for event in stream]
        assert names(events) == ["run.created", "run.queued", "run.cancelling", "run.cancelled"]


async def test_a_run_cancelled_while_it_is_claimed_calls_no_model() -> None:
    store = SlowAnswers(SqliteStore(":memory:"))
    async with world(store=store) as here, asyncio.TaskGroup() as group:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        store.hold()
        creating = group.create_task(here.project.create_run(thread_id, request))
        async with within():
            await store.held.wait()
        [run] = (await here.project.runs(thread_id)).data
        assert (await cancel(here, run)).status == "cancelling"
        await until(lambda: bool(here.worker._executor._interrupted_early))
        store.release()
        assert (await creating).status == "queued"
        assert names(await here.events(run))[2:] == ["run.in_progress", "run.cancelling", "run.cancelled"]
        assert here.model.requests == []


async def test_an_end_committed_during_an_interrupt_is_published() -> None:
    gate, store = Gate(), SlowAnswers(SqliteStore(":memory:"))
    async with world([[say("Hello"), gate]], store=store) as here:
        run = await here.start()
        stream = here.project.run_events(run.thread_id, run.id)
        events = [await anext(stream)]
        async with within():
            await gate.reached.wait()
            store.hold()
            gate.open()
            await store.held.wait()
        here.worker._executor.interrupt(run.id)
        async with within(2):
            events += [event async for event in stream]
        Reader().read(events)
        assert names(events)[-1] == "run.completed"


async def test_a_run_that_is_writing_keeps_the_text_so_far() -> None:
    gate = Gate()
    async with world([[say("Half an"), gate, say("answer")]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        answer = await cancel(here, run)
        assert (answer.status, answer.cancelled_at) == (Status.CANCELLING, None)
        events = await here.events(run)
        stored = [name for name in names(events) if name != "message.delta"]
        assert stored[-4:] == ["run.cancelling", "message.incomplete", "run.step.cancelled", "run.cancelled"]
        Reader().read(events)
        [message], [step] = await here.written(run), await here.steps(run)
        assert text_of(message) == "Half an"
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "run_cancelled"
        assert (step.status, step.cancelled_at, step.usage) == ("cancelled", 1_700_000_000, None)
        ended = await here.now(run)
        assert (ended.status, ended.expires_at, ended.last_error) == (Status.CANCELLED, None, None)


async def test_the_upstream_request_is_closed_within_a_tenth_of_a_second() -> None:
    taken = []
    for _ in range(5):  # a busy machine may be late, but not always
        gate = Gate()
        async with world([[say("Half an"), gate]]) as here:
            run = await here.start()
            async with within():
                await gate.reached.wait()
                asked = time.perf_counter()
                await cancel(here, run)
                await here.model.closed.wait()
                taken.append(time.perf_counter() - asked)
    assert min(taken) < 0.1


async def test_a_run_whose_model_has_not_answered_is_cancelled() -> None:
    gate = Gate()
    async with world([gate]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        await cancel(here, run)
        assert names(await here.events(run))[2:] == ["run.in_progress", "run.cancelling", "run.cancelled"]
        assert await here.written(run) == []


async def test_a_run_cancelled_during_its_calls_requires_no_action() -> None:
    gate = Gate()
    async with world([[call("weather", city="Rome"), gate]]) as here:
        run = await here.start(tools=[WEATHER])
        async with within():
            await gate.reached.wait()
        await cancel(here, run)
        assert names(await here.events(run))[-3:] == ["run.cancelling", "run.step.cancelled", "run.cancelled"]
        assert (await here.now(run)).required_action is None


async def test_a_run_in_requires_action_is_cancelled_at_once() -> None:
    async with world([[call("weather", city="Rome")]]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        paused = (await here.events(run))[-1].id
        answer = await cancel(here, run)
        assert (answer.status, answer.required_action) == (Status.CANCELLING, None)
        ended = await here.now(run)
        assert (ended.status, ended.required_action) == (Status.CANCELLED, None)
        assert names(await here.events(run, paused)) == ["run.cancelling", "run.step.cancelled", "run.cancelled"]
        [step] = await here.steps(run)
        assert step.status == "cancelled"
        assert ended.usage == step.usage, "the call of the model was made, and is counted"


async def test_cancelling_twice_is_refused() -> None:
    gate = Gate()
    async with world([[say("Half"), gate]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        first, second = await asyncio.gather(cancel(here, run), refused(here, run))
        assert first.status == "cancelling"
        assert second == "Cannot cancel run with status 'cancelling'."
        await here.ended(run)
        assert await refused(here, run) == "Cannot cancel run with status 'cancelled'."


async def test_a_completed_run_cannot_be_cancelled() -> None:
    async with world(["Hello"]) as here:
        run = await here.ended(await here.start())
        assert await refused(here, run) == "Cannot cancel run with status 'completed'."


async def test_a_thread_is_unlocked_after_a_cancel() -> None:
    gate = Gate()
    async with world([[say("Half"), gate], "Whole"]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        await cancel(here, run)
        await here.ended(run)
        again = await here.ended(await here.again(run))
        assert again.status == "completed"
        assert [text_of(message) for message in await here.messages(run)] == ["Hello", "Half", "Whole"]
        assert here.model.requests[1].messages[-1]["content"] == "Half", "the prompt has the text before the cancel"
