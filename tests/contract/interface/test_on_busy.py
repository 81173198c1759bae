"""`on_busy` of messages, runs and threads. Its rules are in `tests/engine/test_on_busy.py`."""

import pytest

from runstead.llm.script import Gate, say
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.struct import UNSET
from runstead.wire.thread import ThreadUpdate
from tests.contract.interface.place import Place
from tests.support.waiting import within
from tests.support.worlds import names, text_of


async def started(place: Place) -> tuple[Run, Gate]:
    """A run that is in the middle of its answer."""
    gate = Gate()
    place.answers([say("One"), gate])
    run = await place.start()
    async with within():
        await gate.reached.wait()
    return run, gate


async def test_messages_and_runs_are_queued(place: Place) -> None:
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


async def test_a_thread_has_an_on_busy_for_its_runs(place: Place) -> None:
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
