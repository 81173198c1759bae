"""Invariants of the calls in a run's journal: the model's requests and the outputs that it was given."""

from collections.abc import Iterator

from runstead.domain.invariants.record import RunRecord
from runstead.domain.run.journal import Call, StepRow
from runstead.wire.run import Status
from runstead.wire.run_step import FunctionToolCall, ToolCall, ToolCallsDetails

__all__ = ["have_an_output_once_ended", "match_their_step", "wait_for_the_server_or_the_client"]


def match_their_step(record: RunRecord) -> Iterator[str]:
    """The calls in a run's journal are those that the step shows, in the same order, each with the same tool.

    A function call has the same output in both.
    """
    for row in record.steps:
        kept, shown = [_kept(call) for call in row.calls], [_shown(call) for call in _of_step(row)]
        if kept != shown:
            yield f"step {row.id} shows the calls {_ids(shown)}, but its journal has {_ids(kept)}"


def have_an_output_once_ended(record: RunRecord) -> Iterator[str]:
    """A call has an output if it has ended, and only then. All calls of a completed step have ended."""
    for row in record.steps:
        for call in row.calls:
            if (call.output is not None) != call.ended:
                yield f"call {call.id} is {call.status}, but has {'no' if call.output is None else 'an'} output"
            if row.step.status == "completed" and not call.ended:
                yield f"step {row.id} is completed, but its call {call.id} is {call.status}"
            if call.status == "started" and (call.for_client or not call.attempts):
                yield f"call {call.id} has started, but has no attempt"


def wait_for_the_server_or_the_client(record: RunRecord) -> Iterator[str]:
    """While a run is queued or in progress, an open step with calls has a call for the server to run; in
    `requires_action` it has none.
    """
    status = record.run.status
    for row in record.steps:
        waits = [call.id for call in row.unfinished]
        if row.asked and status in {Status.QUEUED, Status.IN_PROGRESS} and not waits:
            yield f"the run is {status}, but no call of its open step {row.id} waits for the server"
        if row.asked and status is Status.REQUIRES_ACTION and waits:
            yield f"the run is {status}, but {', '.join(waits)} of step {row.id} waits for the server"


def _of_step(row: StepRow) -> list[ToolCall]:
    details = row.step.step_details
    return details.tool_calls if isinstance(details, ToolCallsDetails) else []


def _kept(call: Call) -> tuple[str, str, str | None]:
    return call.id, call.tool, call.output if call.for_client else None


def _shown(call: ToolCall) -> tuple[str, str, str | None]:
    output = call.function.output if isinstance(call, FunctionToolCall) else None
    return call.id, str(call.__struct_config__.tag), output


def _ids(calls: list[tuple[str, str, str | None]]) -> str:
    return ", ".join(id for id, _, _ in calls) or "none"
