"""`on_busy` of messages, runs and threads. Its rules are in `tests/engine/test_on_busy.py`."""

import pytest

from runstead.llm.scripted import Gate, say
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.struct import UNSET
from runstead.wire.thread import ThreadUpdate
from tests.contract.interface.harness import Harness
from tests.support.waiting import within
from tests.support.worlds import names, text_of


async def started(harness: Harness) -> tuple[Run, Gate]:
    """A run that is in the middle of its answer."""
    gate = Gate()
    harness.answers([say("One"), gate])
    run = await harness.start()
    async with within():
        await gate.reached.wait()
    return run, gate


async def test_messages_and_runs_are_queued(harness: Harness) -> None:
    run, gate = await started(harness)
    harness.answers("Two", "Three")
    message = await harness.rs.create_message(
        run.thread_id, MessageRequest(role="user", content="Second", on_busy="enqueue")
    )
    later = RunRequest(assistant_id=run.assistant_id, on_busy="enqueue")
    second = await harness.rs.create_run(run.thread_id, later)
    assert second.status == "queued"
    stream = harness.rs.create_streaming_run(run.thread_id, later)
    assert await harness.rs.get_message(run.thread_id, message.id) == message
    gate.open()
    async with within():
        events = [event async for event in stream]
    assert names(events)[:3] == ["run.created", "run.queued", "run.in_progress"]
    assert names(events)[-1] == "run.completed"
    assert (await harness.ended(second)).status == "completed"
    assert [text_of(each) for each in await harness.messages(run)] == ["Hi", "One", "Second", "Two", "Three"]


async def test_a_thread_has_an_on_busy_for_its_runs(harness: Harness) -> None:
    run, gate = await started(harness)
    changed = await harness.rs.update_thread(run.thread_id, ThreadUpdate(on_busy="enqueue"))
    assert changed.on_busy == "enqueue"
    later = await harness.rs.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id))
    cleared = await harness.rs.update_thread(run.thread_id, ThreadUpdate(on_busy=None))
    assert cleared.on_busy is UNSET
    with pytest.raises(BadRequest, match=f"already has an active run {run.id}"):
        await harness.rs.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id))
    gate.open()
    assert (await harness.ended(later)).status == "completed"
