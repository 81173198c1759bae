"""A run's steps and messages.

A message may be deleted once its run has ended, and leaves its step and what was told of it behind.
"""

from collections.abc import Iterator

from runstead.domain.invariants.record import Record
from runstead.domain.invariants.states import differences
from runstead.domain.run import usage
from runstead.wire.message import Message
from runstead.wire.run import Status
from runstead.wire.run_step import MessageCreationDetails, RunStep

__all__ = ["are_added_up", "are_as_told", "are_open_while_it_works", "belong_to_it", "deleted"]


def are_as_told(record: Record) -> Iterator[str]:
    """Each of its steps and messages is what the last event about it says, and each such event is about one of them."""
    steps, messages = record.last_told(RunStep), record.last_told(Message)
    for step in (row.step for row in record.steps):
        told = steps.pop(step.id, None)
        # What calls it waits for, and what they took, an open step shows without being told.
        yield from _compared("step", step, told, step.status != "in_progress")
    for message in record.messages:
        yield from _compared("message", message, messages.pop(message.id, None), True)
    yield from (f"there is no step {id}, of which it told" for id in steps)
    if not record.run.status.terminal:
        yield from (f"there is no message {id}, of which it told" for id in messages)


def belong_to_it(record: Record) -> Iterator[str]:
    """Each of its messages was written by one of its steps, each in the run's own project and thread."""
    run = record.run
    written = [_written_by(row.step) for row in record.steps]
    for message in record.messages:
        if (steps := written.count(message.id)) != 1:
            yield f"message {message.id} was written by {steps} steps"
    parts: list[RunStep | Message] = [*(row.step for row in record.steps), *record.messages]
    for part in parts:
        if part.thread_id != run.thread_id:
            yield f"{part.id} is on {part.thread_id}, and it is on {run.thread_id}"
    yield from (f"{id} is not in its project {record.project}" for id in record.foreign)


def are_open_while_it_works(record: Record) -> Iterator[str]:
    """While it works, one step and its message may be open; while it waits for outputs, the step of those calls is;
    and while it is queued, a step whose calls the server has begun to run.
    """
    status = record.run.status
    steps = [row for row in record.steps if row.step.status == "in_progress"]
    messages = [message.id for message in record.messages if message.status == "in_progress"]
    if status is Status.REQUIRES_ACTION:
        if messages:
            yield f"it waits for outputs, and message {messages[0]} is open"
        if [[call.id for call in row.waiting] for row in steps] != [_required(record)]:
            yield "it waits for outputs, and what is open is not one step with these calls"
    elif status in {Status.IN_PROGRESS, Status.CANCELLING}:
        if len(steps) > 1 or len(messages) > 1:
            yield f"{len(steps)} steps and {len(messages)} messages of it are open"
        if messages and [_written_by(row.step) for row in steps] != messages:
            yield f"message {messages[0]} is open, and its step is not"
    else:
        survives = status is Status.QUEUED and len(steps) == 1 and steps[0].asked
        yield from (f"it is {status}, and step {row.id} is open" for row in steps if not survives)
        yield from (f"it is {status}, and message {id} is open" for id in messages)


def are_added_up(record: Record) -> Iterator[str]:
    """Once it has ended, its usage is the sum of its steps'; before that it shows none."""
    shown, spent = record.run.usage, usage.total(record.steps)
    if not record.run.status.terminal:
        if shown is not None:
            yield f"it is {record.run.status}, and shows its usage"
    elif shown != spent:
        tokens = "none" if shown is None else f"{shown.total_tokens} tokens"
        yield f"its usage is {tokens}, and that of its steps {spent.total_tokens}"


def deleted(record: Record) -> int:
    """How many of its messages were deleted."""
    return len(record.last_told(Message).keys() - {message.id for message in record.messages})


def _compared(kind: str, kept: RunStep | Message, told: RunStep | Message | None, whole: bool) -> Iterator[str]:
    if told is None:
        yield f"it never told of {kind} {kept.id}"
    elif told.status != kept.status:
        yield f"{kind} {kept.id} is {kept.status}, and its last event says {told.status}"
    elif whole and (wrong := differences(told, kept)):
        yield f"{kind} {kept.id} and its last event differ in {wrong}"


def _written_by(step: RunStep) -> str | None:
    details = step.step_details
    return details.message_creation.message_id if isinstance(details, MessageCreationDetails) else None


def _required(record: Record) -> list[str]:
    action = record.run.required_action
    return [call.id for call in action.submit_tool_outputs.tool_calls] if action else []
