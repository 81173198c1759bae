"""The step in which the model writes a message, from its first word to its last."""

from typing import Any, Literal

from msgspec.structs import replace

from runstead.domain.run import usage
from runstead.domain.run.change import Change, event
from runstead.domain.run.closing import close_step, cut_message
from runstead.domain.run.journal import OpenWork, StepRow
from runstead.domain.run.next_move import Written
from runstead.wire.event import EventName
from runstead.wire.message import Message
from runstead.wire.run import Run, Usage
from runstead.wire.run_step import MessageCreation, MessageCreationDetails, RunStep

__all__ = ["close_message", "open_message", "write_message"]


def open_message(run: Run, step_id: str, message_id: str, now: int) -> Change:
    """The model begins to write a message."""
    step = RunStep(
        id=step_id,
        created_at=now,
        run_id=run.id,
        assistant_id=run.assistant_id,
        thread_id=run.thread_id,
        type="message_creation",
        step_details=MessageCreationDetails(message_creation=MessageCreation(message_id=message_id)),
        expires_at=run.expires_at,
    )
    message = Message(
        id=message_id,
        created_at=now,
        thread_id=run.thread_id,
        status="in_progress",
        role="assistant",
        content=[],
        assistant_id=run.assistant_id,
        run_id=run.id,
    )
    events = [
        event(EventName.STEP_CREATED, step),
        event(EventName.STEP_IN_PROGRESS, step),
        event(EventName.MESSAGE_CREATED, message),
        event(EventName.MESSAGE_IN_PROGRESS, message),
    ]
    return Change(run=run, new_steps=[StepRow(step=step)], new_messages=[message], events=events)


def write_message(run: Run, written: Written, now: int) -> Change:
    """The model has written a whole message. Its step has no usage: another step has the usage of the turn."""
    opened = open_message(run, written.step_id, written.message_id, now)
    message = replace(opened.new_messages[0], content=written.content)
    closed = close_message(run, OpenWork(opened.new_steps[0], message), now, usage.NONE)
    events = [*opened.events, *closed.events]
    return Change(run=run, new_steps=closed.steps, new_messages=closed.messages, events=events)


def close_message(
    run: Run,
    open_work: OpenWork,
    now: int,
    spent: Usage,
    reason: Literal["max_tokens", "content_filter"] | None = None,
    carried: Any = None,
) -> Change:
    """The open message is written: whole, or cut for `reason`. Its step is completed either way."""
    if open_work.message is None or open_work.row is None:
        raise ValueError("no message is open")
    if reason is None:
        message = replace(open_work.message, status="completed", completed_at=now)
        closed = event(EventName.MESSAGE_COMPLETED, message)
    else:
        message = cut_message(open_work.message, reason, now)
        closed = event(EventName.MESSAGE_INCOMPLETE, message)
    step = replace(close_step(open_work.row.step, "completed", now), usage=spent)
    return Change(
        run=run,
        messages=[message],
        steps=[replace(open_work.row, step=step, carried=carried)],
        events=[closed, event(EventName.STEP_COMPLETED, step)],
    )
