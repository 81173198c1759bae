"""The step in which the model calls tools: all parallel calls of one turn, the server's and the client's.

```
open ─▶ ask ─┬─▶ (start ─▶) finish, for each call of the server ─┬─▶ completed
             │                                                   └─▶ requires_action, for the client's calls
             └─▶ requires_action, if all calls are the client's ─▶ submit ─▶ completed
```
"""

from collections.abc import Mapping

from msgspec.structs import replace

from runstead.domain.run.change import Change, event, run_event
from runstead.domain.run.closing import close_step
from runstead.domain.run.journal import Call, CallStatus, OpenWork, StepRow, required
from runstead.domain.run.lifecycle import Signal, move
from runstead.domain.run.next_move import Reply
from runstead.wire.event import EventName
from runstead.wire.run import LastError, RequiredAction, RequiredToolOutputs, Run, Usage
from runstead.wire.run_step import FunctionToolCall, RunStep, ToolCall, ToolCallsDetails

__all__ = ["TOO_MANY", "ask", "cut_calls", "finish", "open_calls", "refuse_calls", "start", "submit_outputs"]

_CUT = LastError(code="server_error", message="The model stopped in the middle of its tool calls.")

TOO_MANY = LastError(
    code="server_error", message="These calls exceed the run's 'max_tool_calls': none of them was run or asked for."
)


def open_calls(run: Run, step_id: str, now: int) -> Change:
    """The model begins to call tools."""
    step = RunStep(
        id=step_id,
        created_at=now,
        run_id=run.id,
        assistant_id=run.assistant_id,
        thread_id=run.thread_id,
        type="tool_calls",
        step_details=ToolCallsDetails(tool_calls=[]),
        expires_at=run.expires_at,
    )
    events = [event(EventName.STEP_CREATED, step), event(EventName.STEP_IN_PROGRESS, step)]
    return Change(run=run, new_steps=[StepRow(step=step)], events=events)


def cut_calls(run: Run, open_work: OpenWork, now: int, usage: Usage) -> Change:
    """The model ran out of tokens in the middle of its calls: none of them is run or asked for."""
    row = _open(open_work)
    step = replace(close_step(row.step, "failed", now, _CUT), usage=usage)
    return Change(run=run, steps=[replace(row, step=step)], events=[event(EventName.STEP_FAILED, step)])


def refuse_calls(run: Run, open_work: OpenWork, reply: Reply, now: int, why: LastError = TOO_MANY) -> Change:
    """Refuse all calls of a turn. None is executed or requested of the client; the step shows what they were."""
    asked = _asked(_open(open_work), reply)
    row = replace(asked, step=close_step(asked.step, "failed", now, why))
    return Change(run=run, steps=[row], events=[event(EventName.STEP_FAILED, row.step)])


def ask(run: Run, open_work: OpenWork, reply: Reply, now: int) -> Change:
    """The model has finished asking for its calls: they are in the journal. The run waits for the client if no call is
    the server's to run. The usage of the turn is the step's, shown when the step is completed.
    """
    return _next(run, _asked(_open(open_work), reply), now)


def start(run: Run, row: StepRow, call_id: str) -> Change:
    """A call that may not run twice is about to run."""
    call = _call(row, call_id)
    started = replace(call, status="started", attempts=call.attempts + 1)
    return Change(run=run, steps=[row.with_calls([started])])


def finish(run: Run, row: StepRow, ended: Call, shown: ToolCall, now: int) -> Change:
    """A call of the server has ended, and is `shown` so. The step's last call of the server completes the step, or
    asks the client for the rest.
    """
    if not ended.ended or _call(row, ended.id).ended:
        raise ValueError(f"call {ended.id} does not end here")
    return _next(run, row.with_calls([ended]).shown([shown]), now)


def submit_outputs(run: Run, open_work: OpenWork, outputs: Mapping[str, str], now: int) -> Change:
    """The client gave the output of every call that it was asked for: the step is completed."""
    after = move(run, Signal.SUBMIT_OUTPUTS, now)
    row = open_work.row
    if row is None or not isinstance(details := row.step.step_details, ToolCallsDetails):
        raise ValueError("no step with tool calls is open")
    ended = [_ended(call, outputs[call.id], "completed") for call in row.waiting]
    shown = [
        replace(call, function=replace(call.function, output=outputs[call.id]))
        for call in details.tool_calls
        if isinstance(call, FunctionToolCall) and call.id in outputs
    ]
    change = _completed(run, row.with_calls(ended).shown(shown), now)
    return Change(run=after, steps=change.steps, events=[*change.events, run_event(after)])


def _next(run: Run, row: StepRow, now: int) -> Change:
    """The next move, from the calls that have ended and those that have not."""
    if row.unfinished:
        return Change(run=run, steps=[row])
    if not row.waiting:
        return _completed(run, row, now)
    action = RequiredAction(submit_tool_outputs=RequiredToolOutputs(tool_calls=required(row.waiting)))
    after = move(run, Signal.ASK_CLIENT, now, required_action=action)
    return Change(run=after, steps=[row], events=[run_event(after)])


def _completed(run: Run, row: StepRow, now: int) -> Change:
    step = close_step(row.step, "completed", now)
    return Change(run=run, steps=[replace(row, step=step)], events=[event(EventName.STEP_COMPLETED, step)])


def _asked(row: StepRow, reply: Reply) -> StepRow:
    step = replace(row.step, step_details=ToolCallsDetails(tool_calls=list(reply.shown)), usage=reply.usage)
    written = None if reply.written is None else reply.written.message_id
    return StepRow(step=step, calls=list(reply.calls), carried=reply.carried, followed_by=written)


def _ended(call: Call, output: str, status: CallStatus) -> Call:
    return replace(call, output=output, status=status)


def _call(row: StepRow, call_id: str) -> Call:
    return next(call for call in row.calls if call.id == call_id)


def _open(open_work: OpenWork) -> StepRow:
    if open_work.row is None:
        raise ValueError("no step is open")
    return open_work.row
