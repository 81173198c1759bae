"""Everything that can happen to a run, each as a `Change`: the run, its messages and steps, and its events in order."""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from runstead.domain.run.budget import CountedBudget
from runstead.domain.run.change import Change, event, run_event
from runstead.domain.run.delay import told
from runstead.domain.run.lifecycle import Signal, move
from runstead.wire.content import Content, Text, TextPart
from runstead.wire.event import START, EventName, RawEvent
from runstead.wire.message import IncompleteMessage, Message
from runstead.wire.run import IncompleteRun, LastError, RequiredAction, RequiredToolOutputs, Run, Status, Usage
from runstead.wire.run_step import (
    FunctionCallResult,
    FunctionToolCall,
    MessageCreation,
    MessageCreationDetails,
    RunStep,
    StepStatus,
    ToolCallsDetails,
)
from runstead.wire.thread import Thread
from runstead.wire.tool import RequiredFunctionCall

__all__ = [
    "OpenWork",
    "ask_client",
    "cancel",
    "claim",
    "close_message",
    "combine",
    "complete",
    "created",
    "cut_calls",
    "delay",
    "end",
    "open_calls",
    "open_message",
    "refuse_calls",
    "run_out",
    "stop",
    "submit_outputs",
]

_INTERRUPTED = LastError(
    code="server_error", message="The worker stopped before this step was finished; the step is done again."
)

_CUT = LastError(code="server_error", message="The model stopped in the middle of its tool calls.")

_OUT_OF_TIME = IncompleteRun(reason="max_seconds")

_TOO_MANY = LastError(
    code="server_error", message="These calls exceed the run's 'max_tool_calls': nobody was asked for them."
)


class OpenWork(NamedTuple):
    """What a run has half done: its open step, and the message that it writes, as far as it is written."""

    step: RunStep | None = None
    message: Message | None = None


def combine(first: Change, second: Change) -> Change:
    """Two changes as one; the second was decided on the first one's run."""
    return Change(
        run=second.run,
        new_messages=[*first.new_messages, *second.new_messages],
        messages=[*first.messages, *second.messages],
        new_steps=[*first.new_steps, *second.new_steps],
        steps=[*first.steps, *second.steps],
        events=[*first.events, *second.events],
    )


def created(run: Run, thread: Thread | None = None) -> Change:
    """A run was made; and its `thread` with it, if it was."""
    made = event(EventName.RUN_CREATED, run)
    queued = RawEvent(START, EventName.RUN_QUEUED, made.data)
    first = [] if thread is None else [event(EventName.THREAD_CREATED, thread)]
    return Change(run=run, events=[*first, made, queued])


def claim(run: Run, now: int) -> Change:
    """A worker takes the run."""
    after = move(run, Signal.CLAIM, now)
    return Change(run=after, events=[run_event(after)])


def open_message(run: Run, step_id: str, message_id: str, now: int) -> tuple[Change, OpenWork]:
    """The model begins to write a message."""
    step = _step(run, step_id, now, MessageCreationDetails(message_creation=MessageCreation(message_id=message_id)))
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
    return Change(run=run, new_steps=[step], new_messages=[message], events=events), OpenWork(step, message)


def open_calls(run: Run, step_id: str, now: int) -> tuple[Change, OpenWork]:
    """The model begins to call tools."""
    step = _step(run, step_id, now, ToolCallsDetails(tool_calls=[]))
    events = [event(EventName.STEP_CREATED, step), event(EventName.STEP_IN_PROGRESS, step)]
    return Change(run=run, new_steps=[step], events=events), OpenWork(step)


def close_message(
    run: Run,
    opened: OpenWork,
    now: int,
    usage: Usage,
    reason: Literal["max_tokens", "content_filter"] | None = None,
) -> Change:
    """The open message is written: whole, or cut for `reason`. Its step is completed either way."""
    if opened.message is None or opened.step is None:
        raise ValueError("no message is open")
    if reason is None:
        message = replace(opened.message, status="completed", completed_at=now)
        told = event(EventName.MESSAGE_COMPLETED, message)
    else:
        message = _cut(opened.message, reason, now)
        told = event(EventName.MESSAGE_INCOMPLETE, message)
    step = replace(opened.step, status="completed", completed_at=now, expires_at=None, usage=usage)
    return Change(run=run, messages=[message], steps=[step], events=[told, event(EventName.STEP_COMPLETED, step)])


def cut_calls(run: Run, opened: OpenWork, now: int, usage: Usage) -> Change:
    """The model ran out of tokens in the middle of its calls: nobody is asked for them."""
    if opened.step is None:
        raise ValueError("no step is open")
    step = replace(_close_step(opened.step, "failed", now, _CUT), usage=usage)
    return Change(run=run, steps=[step], events=[event(EventName.STEP_FAILED, step)])


def refuse_calls(run: Run, opened: OpenWork, calls: Sequence[RequiredFunctionCall], now: int, usage: Usage) -> Change:
    """The model made more calls than the run may: nobody is asked for them. The step shows what they were."""
    if opened.step is None:
        raise ValueError("no step is open")
    step = replace(_close_step(opened.step, "failed", now, _TOO_MANY), step_details=_made(calls), usage=usage)
    return Change(run=run, steps=[step], events=[event(EventName.STEP_FAILED, step)])


def complete(run: Run, now: int, usage: Usage) -> Change:
    """The run is done; `usage` is that of all its steps."""
    after = move(run, Signal.COMPLETE, now, usage=usage)
    return Change(run=after, events=[run_event(after)])


def run_out(run: Run, now: int, usage: Usage, reason: CountedBudget) -> Change:
    """A budget of tokens or calls is used up; that of time ends a run by `end`."""
    after = move(run, Signal.RUN_OUT, now, usage=usage, incomplete=IncompleteRun(reason=reason))
    return Change(run=after, events=[run_event(after)])


def ask_client(run: Run, opened: OpenWork, calls: Sequence[RequiredFunctionCall], now: int, usage: Usage) -> Change:
    """The run waits for the outputs of `calls`. `usage` is the step's, shown when the step is completed."""
    if opened.step is None:
        raise ValueError("no step is open")
    step = replace(opened.step, step_details=_made(calls), usage=usage)
    action = RequiredAction(submit_tool_outputs=RequiredToolOutputs(tool_calls=list(calls)))
    after = move(run, Signal.ASK_CLIENT, now, required_action=action)
    return Change(run=after, steps=[step], events=[run_event(after)])


def submit_outputs(run: Run, opened: OpenWork, outputs: Mapping[str, str], now: int) -> Change:
    """The client gave the output of every call of the open step."""
    after = move(run, Signal.SUBMIT_OUTPUTS, now)
    step = opened.step
    if step is None or not isinstance(details := step.step_details, ToolCallsDetails):
        raise ValueError("no step with tool calls is open")
    calls = [
        replace(call, function=replace(call.function, output=outputs[call.id]))
        if isinstance(call, FunctionToolCall)
        else call
        for call in details.tool_calls
    ]
    done = replace(
        step,
        status="completed",
        completed_at=now,
        expires_at=None,
        step_details=ToolCallsDetails(tool_calls=calls),
    )
    return Change(run=after, steps=[done], events=[event(EventName.STEP_COMPLETED, done), run_event(after)])


def cancel(run: Run, now: int) -> Change:
    """Somebody asked to stop the run."""
    after = move(run, Signal.CANCEL, now)
    return Change(run=after, events=[run_event(after)])


def stop(run: Run, opened: OpenWork, usage: Usage, now: int) -> Change:
    """A run that nobody works on has stopped in the moment it was asked to."""
    if run.status is Status.CANCELLING:
        return end(run, Signal.STOP, opened, now, usage)
    asked = cancel(run, now)
    return combine(asked, end(asked.run, Signal.STOP, opened, now, usage))


def delay(run: Run, opened: OpenWork, now: int, usage: Usage, cause: LastError, until: int) -> Change:
    """The run is put back, to go on at `until`: it says so itself. What is half done is closed, and done again."""
    return replace(end(run, Signal.DELAY, opened, now, usage, told(cause, until)), ready_at=until)


def end(run: Run, signal: Signal, opened: OpenWork, now: int, usage: Usage, error: LastError | None = None) -> Change:
    """The run stops before its end: STOP, EXPIRE, RUN_OUT (of time), FAIL, DELAY (with `error`) or RESCUE. What is
    half done is closed.
    """
    after = move(run, signal, now, last_error=error, incomplete=_OUT_OF_TIME, usage=usage)
    message_reason, step_status = _CLOSINGS[after.status]
    change = Change(run=after)
    if opened.message is not None:
        message = _cut(opened.message, message_reason, now)
        change = combine(
            change, Change(run=after, messages=[message], events=[event(EventName.MESSAGE_INCOMPLETE, message)])
        )
    if opened.step is not None:
        step = _close_step(opened.step, step_status, now, error)
        told = event(EventName(f"thread.run.step.{step_status}"), step)
        change = combine(change, Change(run=after, steps=[step], events=[told]))
    return combine(change, Change(run=after, events=[run_event(after)]))


_CLOSINGS: Mapping[Status, tuple[Literal["run_cancelled", "run_expired", "run_failed"], StepStatus]] = {
    Status.CANCELLED: ("run_cancelled", "cancelled"),
    Status.EXPIRED: ("run_expired", "expired"),
    Status.INCOMPLETE: ("run_expired", "expired"),
    Status.FAILED: ("run_failed", "failed"),
    Status.QUEUED: ("run_failed", "failed"),
}
"""How a message and a step are closed when their run goes to this status."""


def _step(run: Run, id: str, now: int, details: MessageCreationDetails | ToolCallsDetails) -> RunStep:
    return RunStep(
        id=id,
        created_at=now,
        run_id=run.id,
        assistant_id=run.assistant_id,
        thread_id=run.thread_id,
        type="tool_calls" if isinstance(details, ToolCallsDetails) else "message_creation",
        step_details=details,
        expires_at=run.expires_at,
    )


def _made(calls: Sequence[RequiredFunctionCall]) -> ToolCallsDetails:
    return ToolCallsDetails(
        tool_calls=[
            FunctionToolCall(
                id=call.id, function=FunctionCallResult(name=call.function.name, arguments=call.function.arguments)
            )
            for call in calls
        ]
    )


def _cut(
    message: Message,
    reason: Literal["max_tokens", "content_filter", "run_cancelled", "run_expired", "run_failed"],
    now: int,
) -> Message:
    # Clients that followed the stream look the streamed part up in here: it may be empty, not missing.
    content: Content = message.content or [TextPart(text=Text(value=""))]
    return replace(
        message,
        status="incomplete",
        incomplete_details=IncompleteMessage(reason=reason),
        incomplete_at=now,
        content=content,
    )


def _close_step(step: RunStep, status: StepStatus, now: int, error: LastError | None) -> RunStep:
    match status:
        case "cancelled":
            return replace(step, status=status, cancelled_at=now, expires_at=None)
        case "expired":
            return replace(step, status=status, expired_at=now)
        case _:
            known = error if error is not None else _INTERRUPTED
            if known.code == "invalid_prompt":
                known = replace(known, code="server_error")
            return replace(step, status="failed", failed_at=now, expires_at=None, last_error=known)
