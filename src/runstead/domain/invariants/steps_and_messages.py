"""Invariants of the steps and messages of a run.

A message may be deleted after its run has ended. Its step and the events that show it remain.
"""

from collections.abc import Iterator

from runstead.domain.invariants.record import RunRecord, differences
from runstead.domain.run import usage
from runstead.wire.message import Message
from runstead.wire.run import Status
from runstead.wire.run_step import MessageCreationDetails, RunStep

__all__ = [
    "add_up_to_the_usage",
    "are_open_only_while_the_run_is_active",
    "belong_to_the_run",
    "count_deleted_messages",
    "match_their_events",
]


def match_their_events(record: RunRecord) -> Iterator[str]:
    """Every step and message of a run equals what its last event shows, and every such event shows one of them."""
    steps, messages = record.last_published(RunStep), record.last_published(Message)
    for step in (row.step for row in record.steps):
        published = steps.pop(step.id, None)
        # An open step gets its required calls and their usage without an event.
        yield from _mismatch("step", step, published, whole=step.status != "in_progress")
    for message in record.messages:
        yield from _mismatch("message", message, messages.pop(message.id, None), whole=True)
    yield from (f"step {id} is missing, but an event shows it" for id in steps)
    if not record.run.status.terminal:
        yield from (f"message {id} is missing, but an event shows it" for id in messages)


def belong_to_the_run(record: RunRecord) -> Iterator[str]:
    """Every message of a run was written by exactly one of its steps, and both are in the run's project and thread."""
    run = record.run
    written = [_written_by(row.step) for row in record.steps]
    for message in record.messages:
        if (steps := written.count(message.id)) != 1:
            yield f"message {message.id} was written by {steps} steps"
    parts: list[RunStep | Message] = [*(row.step for row in record.steps), *record.messages]
    for part in parts:
        if part.thread_id != run.thread_id:
            yield f"{part.id} is on {part.thread_id}, but the run is on {run.thread_id}"
    yield from (f"{id} is not in the run's project {record.project}" for id in record.in_other_project)


def are_open_only_while_the_run_is_active(record: RunRecord) -> Iterator[str]:
    """While a run executes, one step and its message may be open; in `requires_action`, the step with its calls is.

    While the run is queued, a step whose calls the server has begun to run may be open.
    """
    status = record.run.status
    steps = [row for row in record.steps if row.step.status == "in_progress"]
    messages = [message.id for message in record.messages if message.status == "in_progress"]
    if status is Status.REQUIRES_ACTION:
        if messages:
            yield f"the run is {status}, but message {messages[0]} is open"
        if [[call.id for call in row.waiting] for row in steps] != [_required_calls(record)]:
            yield f"the run is {status}, but its open steps are not one with the required calls"
    elif status in {Status.IN_PROGRESS, Status.CANCELLING}:
        if len(steps) > 1 or len(messages) > 1:
            yield f"{len(steps)} steps and {len(messages)} messages are open"
        if messages and [_written_by(row.step) for row in steps] != messages:
            yield f"message {messages[0]} is open, but its step is not"
    else:
        survives = status is Status.QUEUED and len(steps) == 1 and steps[0].asked
        yield from (f"the run is {status}, but step {row.id} is open" for row in steps if not survives)
        yield from (f"the run is {status}, but message {id} is open" for id in messages)


def add_up_to_the_usage(record: RunRecord) -> Iterator[str]:
    """Once a run has ended, its usage is the sum of its steps' usage; until then it has none."""
    shown, spent = record.run.usage, usage.total(record.steps)
    if not record.run.status.terminal:
        if shown is not None:
            yield f"the run is {record.run.status}, but has a usage"
    elif shown != spent:
        tokens = "none" if shown is None else f"{shown.total_tokens} tokens"
        yield f"the run's usage is {tokens}, but its steps add up to {spent.total_tokens}"


def count_deleted_messages(record: RunRecord) -> int:
    """How many of the messages that the run wrote were deleted."""
    return len(record.last_published(Message).keys() - {message.id for message in record.messages})


def _mismatch(
    kind: str, stored: RunStep | Message, published: RunStep | Message | None, *, whole: bool
) -> Iterator[str]:
    """How an object differs from its last event; only in its status unless `whole`."""
    if published is None:
        yield f"no event shows {kind} {stored.id}"
    elif published.status != stored.status:
        yield f"{kind} {stored.id} is {stored.status}, but its last event shows {published.status}"
    elif whole and (fields := differences(published, stored)):
        yield f"{kind} {stored.id} and its last event differ in {fields}"


def _written_by(step: RunStep) -> str | None:
    """The id of the message that the step wrote."""
    details = step.step_details
    return details.message_creation.message_id if isinstance(details, MessageCreationDetails) else None


def _required_calls(record: RunRecord) -> list[str]:
    action = record.run.required_action
    return [call.id for call in action.submit_tool_outputs.tool_calls] if action else []
