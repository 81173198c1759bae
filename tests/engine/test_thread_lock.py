"""The thread lock: one active run, and no messages added or deleted meanwhile."""

import asyncio
from collections.abc import Awaitable

import pytest

from runstead.llm.scripted import Gate, Turn, call, say
from runstead.wire.error import BadRequest, NotFound
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.thread import ThreadUpdate
from runstead.worker.maintenance.remove_deleted import remove_deleted_once
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of, world

SAID = MessageRequest(role="user", content="And?")


async def refusal(answer: Awaitable[object]) -> str:
    with pytest.raises(BadRequest) as refused:
        await answer
    assert (refused.value.param, refused.value.code) == (None, None)
    return refused.value.message


async def assert_locked(here: World, run: Run) -> None:
    rs, locked = here.project, f"Can't add messages to {run.thread_id} while a run {run.id} is active."
    assert await refusal(rs.create_message(run.thread_id, SAID)) == locked
    message = (await here.messages(run))[0]
    assert await refusal(rs.delete_message(run.thread_id, message.id)) == locked
    busy = f"Thread {run.thread_id} already has an active run {run.id}."
    assert await refusal(here.again(run)) == busy
    request = RunRequest(assistant_id=run.assistant_id, additional_messages=[SAID])
    before = await here.messages(run)
    assert await refusal(rs.create_run(run.thread_id, request)) == busy
    assert await here.messages(run) == before, "nothing of a refused run stays"


async def assert_unlocked(here: World, run: Run) -> None:
    message = await here.project.create_message(run.thread_id, SAID)
    await here.project.delete_message(run.thread_id, message.id)
    await here.again(run)


async def test_a_thread_is_locked_until_its_run_has_ended() -> None:
    gate = Gate()
    async with world([[say("Half"), gate], "Hello", "Hello"]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        await assert_locked(here, run)
        gate.open()
        await here.ended(run)
        await assert_unlocked(here, run)


async def test_a_thread_is_locked_while_its_run_is_queued() -> None:
    gate = Gate()
    async with world(lambda _: gate, slots=1) as here:
        await here.start()
        async with within():
            await gate.reached.wait()
        run = await here.start()
        assert (await here.now(run)).status == "queued"
        await assert_locked(here, run)


async def test_a_thread_is_locked_while_its_run_requires_action() -> None:
    async with world([call("weather", city="Rome"), "Hello"]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await assert_locked(here, run)
        await here.project.cancel(run.thread_id, run.id)
        await assert_unlocked(here, run)


async def test_of_concurrent_runs_on_a_thread_one_is_created() -> None:
    async with world(lambda _: Gate()) as here:
        thread_id, assistant_id = await here.thread("Hello"), await here.assistant()
        request = RunRequest(assistant_id=assistant_id)
        starts = [here.project.create_run(thread_id, request) for _ in range(10)]
        answers = await asyncio.gather(*starts, return_exceptions=True)
        [winner] = [answer for answer in answers if isinstance(answer, Run)]
        lost = {str(answer) for answer in answers if isinstance(answer, BadRequest)}
        assert lost == {f"Thread {thread_id} already has an active run {winner.id}."}


async def test_a_locked_thread_can_be_read_and_its_metadata_updated() -> None:
    gate = Gate()
    async with world([[say("Half"), gate]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        [said, half] = await here.messages(run)
        assert (half.status, half.content) == ("in_progress", [])
        changed = await here.project.update_message(run.thread_id, said.id, {"a": "b"})
        assert changed == await here.project.get_message(run.thread_id, said.id)
        thread = await here.project.update_thread(run.thread_id, ThreadUpdate(metadata={"c": "d"}))
        assert thread == await here.project.get_thread(run.thread_id)


async def test_metadata_of_a_message_survives_its_completion() -> None:
    gate = Gate()
    async with world([[say("Half"), gate, say("whole")]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        [half] = await here.written(run)
        noted = await here.project.update_message(run.thread_id, half.id, {"a": "b"})
        assert (noted.status, noted.metadata) == ("in_progress", {"a": "b"})
        gate.open()
        await here.ended(run)
        [whole] = await here.written(run)
        assert (text_of(whole), whole.metadata) == ("Halfwhole", {"a": "b"})


async def test_metadata_of_a_message_survives_a_cancel() -> None:
    gate = Gate()
    async with world([[say("Half"), gate]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        [half] = await here.written(run)
        await here.project.update_message(run.thread_id, half.id, {"a": "b"})
        await here.project.cancel(run.thread_id, run.id)
        await here.ended(run)
        [cut] = await here.written(run)
        assert (text_of(cut), cut.status, cut.metadata) == ("Half", "incomplete", {"a": "b"})


async def test_deleting_a_thread_cancels_its_run_and_ends_its_streams() -> None:
    gate = Gate()
    async with world([[say("Half"), gate]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        stream = here.project.run_events(run.thread_id, run.id)
        events = [await anext(stream)]
        gone = await here.project.delete_thread(run.thread_id)
        assert (gone.id, gone.deleted) == (run.thread_id, True)
        async with within(2):
            await here.model.closed.wait()
            events += [event async for event in stream]
        assert names(events)[-4:] == ["run.cancelling", "message.incomplete", "run.step.cancelled", "run.cancelled"]
        for lost in (here.now(run), here.messages(run), here.steps(run)):
            with pytest.raises(NotFound, match=f"No thread found with id '{run.thread_id}'"):
                await lost
        assert await here.adapters.store.read(lambda tx: tx.runs.load(run.id)) is None
        await remove_deleted_once(here.adapters)
        assert await here.adapters.store.read(lambda tx: tx.events.after(run.id, 0, 9)) == []


async def test_deleting_a_thread_ends_the_streams_of_a_queued_run() -> None:
    gate = Gate()
    async with world([gate], slots=1) as here:
        await here.start()
        async with within():
            await gate.reached.wait()
        run = await here.start()
        stream = here.project.run_events(run.thread_id, run.id)
        events = [await anext(stream)]
        await here.project.delete_thread(run.thread_id)
        async with within(2):
            events += [event async for event in stream]
        assert names(events) == ["run.created", "run.queued", "run.cancelling", "run.cancelled"]


async def test_no_topic_is_left_of_a_run_deleted_while_it_ends() -> None:
    gates = [Gate() for _ in range(20)]
    turns: list[Turn] = [[say("Half"), gate, say("answer")] for gate in gates]
    async with world(turns) as here:
        for gate in gates:
            run = await here.start()
            async with within():
                await gate.reached.wait()
            deleting = asyncio.ensure_future(here.project.delete_thread(run.thread_id))  # noqa: TID251 - a race
            gate.open()
            await deleting
        broker = here.adapters.broker
        await until(lambda: not broker._topics)  # type: ignore[attr-defined]
