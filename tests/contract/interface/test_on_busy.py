"""A run or a message for a busy thread, whichever way it is added."""

import pytest

from runstead.llm.script import Gate, say
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.struct import UNSET
from runstead.wire.thread import ThreadRequest, ThreadUpdate
from tests.contract.interface.place import Place
from tests.support.waiting import within
from tests.support.worlds import names, text_of


async def started(place: Place) -> tuple[Run, Gate]:
    """A run in the middle of its answer."""
    gate = Gate()
    place.answers([say("One"), gate])
    run = await place.start()
    async with within():
        await gate.reached.wait()
    return run, gate


async def test_runs_and_messages_wait_in_line(place: Place) -> None:
    run, gate = await started(place)
    place.answers("Two", "Three")
    message = await place.rs.create_message(
        run.thread_id, MessageRequest(role="user", content="Second", on_busy="enqueue")
    )
    later = RunRequest(assistant_id=run.assistant_id, on_busy="enqueue")
    second = await place.rs.create_run(run.thread_id, later)
    assert second.status == "queued"
    stream = place.rs.create_streaming_run(run.thread_id, later)
    assert await place.rs.get_message(run.thread_id, message.id) == message
    gate.open()
    async with within():
        events = [event async for event in stream]
    assert names(events)[:3] == ["run.created", "run.queued", "run.in_progress"]
    assert names(events)[-1] == "run.completed"
    assert (await place.ended(second)).status == "completed"
    assert [text_of(each) for each in await place.messages(run)] == ["Hi", "One", "Second", "Two", "Three"]


async def test_a_run_interrupts(place: Place) -> None:
    run, _ = await started(place)
    place.answers("Two")
    more = [MessageRequest(role="user", content="Rather this.")]
    request = RunRequest(assistant_id=run.assistant_id, additional_messages=more, on_busy="interrupt")
    new = await place.rs.create_run(run.thread_id, request)
    assert (await place.ended(new)).status == "completed"
    assert (await place.ended(run)).status == "cancelled"
    assert [text_of(each) for each in await place.messages(run)] == ["Hi", "One", "Rather this.", "Two"]


async def test_a_thread_says_it_for_all_that_comes(place: Place) -> None:
    run, gate = await started(place)
    changed = await place.rs.update_thread(run.thread_id, ThreadUpdate(on_busy="enqueue"))
    assert changed.on_busy == "enqueue"
    later = await place.rs.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id))
    cleared = await place.rs.update_thread(run.thread_id, ThreadUpdate(on_busy=None))
    assert cleared.on_busy is UNSET
    with pytest.raises(BadRequest, match=f"already has an active run {run.id}"):
        await place.rs.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id))
    gate.open()
    assert (await place.ended(later)).status == "completed"


async def test_what_comes_with_a_run_or_a_thread_goes_where_that_goes(place: Place) -> None:
    run = await place.start()
    await place.ended(run)
    alone = [MessageRequest(role="user", content="a"), MessageRequest(role="user", content="b", on_busy="enqueue")]
    with pytest.raises(BadRequest, match="create the message by itself") as refused:
        await place.rs.create_thread(ThreadRequest(messages=alone))
    assert refused.value.param == "messages[1].on_busy"
    with pytest.raises(BadRequest) as refused:
        await place.rs.create_run(
            run.thread_id, RunRequest(assistant_id=run.assistant_id, additional_messages=alone, on_busy="enqueue")
        )
    assert refused.value.param == "additional_messages[1].on_busy"
    with pytest.raises(BadRequest) as refused:
        await place.rs.create_thread_run(
            ThreadRunRequest(assistant_id=run.assistant_id, thread=ThreadRequest(messages=alone))
        )
    assert refused.value.param == "thread.messages[1].on_busy"
    assert len(await place.messages(run)) == 2
