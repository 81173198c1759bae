"""The engine over PostgreSQL: a run with tools from its first message to its last event."""

import asyncio

import pytest

from runstead.blobs.local import LocalBlobs
from runstead.broker.inprocess import InProcessBroker
from runstead.engine.adapters import Adapters, SystemClock
from runstead.llm.scripted import Gate, ScriptedModel, call, say
from runstead.store.tables.messages import SqlMessages
from runstead.wire.message import Message, MessageRequest
from runstead.wire.run import RunRequest, Status
from runstead.worker.application import run
from tests.store.postgres.conftest import Make
from tests.support.callers import entered
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, names, text_of, world


async def test_a_run_with_tools_goes_from_question_to_answer(make: Make) -> None:
    model = ScriptedModel([[call("weather", city="Oslo"), call("weather", city="Rome")], "Sunny in both."])
    adapters = Adapters(
        store=make(), broker=InProcessBroker(), blobs=LocalBlobs(None), model=model, clock=SystemClock()
    )
    async with within(), run(adapters) as application:
        here = World(application, await entered(application), adapters, model)
        asked = await here.ended(await here.start("How is it?", tools=[WEATHER]))
        assert asked.status is Status.REQUIRES_ACTION
        await here.submit(asked)
        ended = await here.ended(asked)
        assert ended.status is Status.COMPLETED
        assert [text_of(message) for message in await here.messages(ended)] == ["How is it?", "Sunny in both."]
        assert [step.status for step in await here.steps(ended)] == ["completed", "completed"]
        told = await here.events(ended)
        assert names(told)[:2] == ["run.created", "run.queued"]
        assert told[-1].event == "thread.run.completed"
        stored = [each.at.seq for each in await adapters.store.read(lambda tx: tx.events.after(ended.id, 0, 1000))]
        assert stored == list(range(1, len(stored) + 1))


async def test_a_run_that_one_process_began_is_completed_by_the_next(make: Make) -> None:
    script = [call("weather", city="Oslo")]
    async with within(), world(script, store=make(), clock=SystemClock()) as here:
        asked = await here.ended(await here.start("How is it?", tools=[WEATHER]))
    async with within(), world(["Sunny."], store=make(), clock=SystemClock()) as there:
        await there.submit(asked)
        ended = await there.ended(asked)
        assert ended.status is Status.COMPLETED
        assert [text_of(message) for message in await there.written(ended)] == ["Sunny."]


async def test_many_runs_at_once_end_once_each(make: Make) -> None:
    async with within(), world(lambda _: "Hello!", store=make(connections=4), clock=SystemClock()) as here:
        assistant_id = await here.assistant()
        thread_ids = await asyncio.gather(*(here.thread("Hi") for _ in range(40)))
        request = RunRequest(assistant_id=assistant_id)
        runs = await asyncio.gather(*(here.project.create_run(thread_id, request) for thread_id in thread_ids))
        ended = await asyncio.gather(*(here.ended(each) for each in runs))
        assert {each.status for each in ended} == {Status.COMPLETED}
        for each in ended:
            told = await here.events(each)
            assert [event.event for event in told].count("thread.run.completed") == 1


async def test_a_message_that_meets_the_end_of_a_run_is_added(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, add = Gate(), SqlMessages.add
    async with (
        within(),
        world([[say("Half"), gate]], store=make(), clock=SystemClock()) as here,
        asyncio.TaskGroup() as group,
    ):
        active = await here.start()
        await gate.reached.wait()
        ended = group.create_task(here.ended(active))

        async def add_while_the_run_ends(messages: SqlMessages, project: str, message: Message) -> bool:
            added = await add(messages, project, message)
            if not added:
                gate.open()
                await ended
            return added

        monkeypatch.setattr(SqlMessages, "add", add_while_the_run_ends)
        request = MessageRequest(role="user", content="More")
        added = await here.project.create_message(active.thread_id, request)
        assert added.id in [message.id for message in await here.messages(active)]
