"""The journal of a run: its steps, each with the fields that are stored but not shown.

The wire's step is what clients are shown. The journal has the calls of the model, the outputs that it was given, and
the state that the model's server needs again. Prompts, budgets and take-overs read the journal.

A call's life:

```
asked ──▶ (started) ──▶ completed | failed | interrupted
```
A call is `started` in the journal only if its tool may not run twice: that the call starts is committed before it
does. What has ended has an output.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import reduce
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar, cast

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from runstead.wire.message import Message
from runstead.wire.run_step import FunctionToolCall, RunStep, ToolCall, ToolCallsDetails
from runstead.wire.tool import FunctionCall, RequiredFunctionCall

__all__ = [
    "FUNCTION",
    "Call",
    "CallStatus",
    "OpenWork",
    "StepLog",
    "StepRow",
    "decode_journal",
    "earlier_calls",
    "encode_journal",
    "fold",
    "from_wire",
    "required",
]

T = TypeVar("T")

FUNCTION = "function"
"""The tool of the calls that the client answers."""

CallStatus: TypeAlias = Literal["asked", "started", "completed", "failed", "interrupted"]


class Call(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One tool call: what the model asked for, and the outcome that it gets."""

    id: str
    name: str
    """The name of the function that the model called."""
    arguments: str
    """JSON, if the model kept to it."""
    tool: str = FUNCTION
    """The kind of tool that serves the call."""
    output: str | None = None
    """The output for the model; None until the call has ended."""
    status: CallStatus = "asked"
    attempts: int = 0
    """How often the call has begun, or may have."""

    @property
    def ended(self) -> bool:
        """Whether the call has an outcome."""
        return self.status not in {"asked", "started"}

    @property
    def for_client(self) -> bool:
        """Whether the client answers it."""
        return self.tool == FUNCTION


class StepRow(Struct, frozen=True, kw_only=True):
    """A step with its calls, in the order of the wire's, and the opaque state of the model turn that ended with it."""

    step: RunStep
    calls: Sequence[Call] = ()
    carried: Any = None
    """JSON that the model's server needs again in the run's next prompts; only its adapter reads it."""
    followed_by: str | None = None
    """The message that the model wrote behind these calls, in the same turn: a part of the turn's text."""

    @property
    def id(self) -> str:
        return self.step.id

    @property
    def asked(self) -> bool:
        """Whether the step is open and the model had finished asking for its calls: the step survives its worker."""
        return self.step.status == "in_progress" and bool(self.calls)

    @property
    def unfinished(self) -> list[Call]:
        """The calls without an outcome that the server runs."""
        return [call for call in self.calls if not call.ended and not call.for_client]

    @property
    def waiting(self) -> list[Call]:
        """The calls without an outcome that the client answers."""
        return [call for call in self.calls if not call.ended and call.for_client]

    @property
    def refused(self) -> bool:
        """Whether the model called only functions that were not offered to it."""
        return bool(self.calls) and all(call.for_client and call.status == "failed" for call in self.calls)

    def with_calls(self, calls: Iterable[Call]) -> "StepRow":
        """The same step; the given calls stand in place of those with their ids."""
        changed = {call.id: call for call in calls}
        return replace(self, calls=[changed.get(call.id, call) for call in self.calls])

    def shown(self, calls: Iterable[ToolCall]) -> "StepRow":
        """The same row; the wire's step shows the given calls in place of those with their ids."""
        details = self.step.step_details
        if not isinstance(details, ToolCallsDetails):
            raise TypeError(f"step {self.id} has no tool calls")
        changed = {call.id: call for call in calls}
        made = ToolCallsDetails(tool_calls=[changed.get(call.id, call) for call in details.tool_calls])
        return replace(self, step=replace(self.step, step_details=made))


class StepLog(list[StepRow]):
    """The rows of one run, oldest first. Only the last one may be open; rows are added, and the open one is replaced.

    Sums over the ended rows are kept, so a round of a long run costs no more than one of a short run.
    """

    def __init__(self, rows: Iterable[StepRow] = ()) -> None:
        super().__init__(rows)
        self._folded: dict[str, tuple[int, Any]] = {}

    def fold(self, name: str, start: T, add: Callable[[T, StepRow], T]) -> T:
        """`fold` over the rows. The sum of the ended rows is kept under `name`."""
        count, total = self._folded.get(name, (0, start))
        while count < len(self) and self[count].step.status != "in_progress":
            total = add(total, self[count])
            count += 1
        self._folded[name] = count, total
        rest = self[count:]
        if any(row.step.status != "in_progress" for row in rest):
            total = deepcopy(total)  # a text has ended behind calls that are still open
        for row in rest:
            total = add(total, row)
        return cast("T", total)


def fold(rows: Iterable[StepRow], name: str, start: T, add: Callable[[T, StepRow], T]) -> T:
    """Reduce the rows with `add`, oldest first. For an open row, `add` must not change its sum in place."""
    return rows.fold(name, start, add) if isinstance(rows, StepLog) else reduce(add, rows, start)


class OpenWork(NamedTuple):
    """The open step of a run, and the open message of that step with its text so far."""

    row: StepRow | None = None
    message: Message | None = None


def earlier_calls(rows: Iterable[StepRow], call: Call) -> int:
    """How many calls of the same tool the model asked for before this one, in the same run."""
    asked = [each for row in rows for each in row.calls if each.tool == call.tool]
    return next(place for place, each in enumerate(asked) if each.id == call.id)


def required(calls: Iterable[Call]) -> list[RequiredFunctionCall]:
    """The calls as the client is asked for them."""
    return [
        RequiredFunctionCall(id=call.id, function=FunctionCall(name=call.name, arguments=call.arguments))
        for call in calls
    ]


def from_wire(step: RunStep) -> StepRow:
    """The row of a step whose journal says no more than the step itself: functions, and nothing carried."""
    details = step.step_details
    if not isinstance(details, ToolCallsDetails):
        return StepRow(step=step)
    return StepRow(
        step=step, calls=[_function(call) for call in details.tool_calls if isinstance(call, FunctionToolCall)]
    )


class _Journal(Struct, frozen=True, omit_defaults=True):
    """The part of a journal entry that is stored beside the wire's step."""

    calls: list[Call] = []
    carried: Any = None
    followed_by: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Journal).decode


def encode_journal(row: StepRow) -> bytes | None:
    """The part to store beside the step; None if the step alone is enough."""
    if row.carried is None and row.followed_by is None and list(row.calls) == list(from_wire(row.step).calls):
        return None
    return _encode(_Journal(list(row.calls), row.carried, row.followed_by))


def decode_journal(step: RunStep, journal: bytes | None) -> StepRow:
    """The row of a stored step. A version without a journal may have written the output of a function to the step
    alone.
    """
    derived = from_wire(step)
    if journal is None:
        return derived
    kept = _decode(journal)
    outputs: Mapping[str, Call] = {call.id: call for call in derived.calls if call.ended}
    calls = [call if call.ended else outputs.get(call.id, call) for call in kept.calls]
    return StepRow(step=step, calls=calls, carried=kept.carried, followed_by=kept.followed_by)


def _function(call: FunctionToolCall) -> Call:
    function = call.function
    return Call(
        id=call.id,
        name=function.name,
        arguments=function.arguments,
        output=function.output,
        status="asked" if function.output is None else "completed",
    )
