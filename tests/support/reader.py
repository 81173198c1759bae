"""A reader that checks a run's events: their order, their positions, and that deltas add up to the final objects."""

from collections.abc import Iterable

from runstead.wire.delta import (
    CodeInterpreterCallDelta,
    FileSearchCallDelta,
    FunctionToolCallDelta,
    MessageDelta,
    RefusalPartDelta,
    RunStepDelta,
    TextPartDelta,
    ToolCallsDelta,
)
from runstead.wire.event import Event, EventName, Position
from runstead.wire.message import Message
from runstead.wire.run import Run, Status
from runstead.wire.run_step import FunctionToolCall, MessageCreationDetails, RunStep, ToolCallsDetails
from runstead.wire.struct import UNSET
from runstead.wire.thread import Thread

__all__ = ["Reader"]

AFTER: dict[Status | None, set[Status]] = {
    None: {Status.QUEUED},
    Status.QUEUED: {Status.IN_PROGRESS, Status.CANCELLING, Status.EXPIRED, Status.INCOMPLETE, Status.FAILED},
    Status.IN_PROGRESS: set(Status) - {Status.IN_PROGRESS, Status.CANCELLED},
    Status.REQUIRES_ACTION: {Status.QUEUED, Status.CANCELLING, Status.EXPIRED, Status.INCOMPLETE},
    Status.CANCELLING: {Status.CANCELLED, Status.COMPLETED, Status.EXPIRED},
}
RUN_STATUS = {f"thread.run.{status}": status for status in Status}


class Reader:
    """Checks the events of one run, from the start or from the position `after`."""

    def __init__(self, after: Position | None = None) -> None:
        self.at = after or Position(0)
        self.names: list[str] = []
        self.status: Status | None = None
        self.step: RunStep | None = None
        self.calls_step: RunStep | None = None
        """The open step of calls, while a message behind them is shown."""
        self.message: Message | None = None
        self.texts: dict[str, str] = {}
        """The text of each message's deltas."""
        self._calls: dict[int, list[str]] = {}
        self._parts = 0
        self._late = after is not None
        self._survived = False

    def read(self, events: Iterable[Event]) -> None:
        """Check these events, which follow the ones before."""
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Check one event. `AssertionError` if it may not follow the ones before."""
        assert event.id is not None
        at = Position.parse(event.id)
        data = event.data
        self.names.append(str(event.event))
        if isinstance(data, MessageDelta | RunStepDelta):
            assert at.seq == self.at.seq, f"a delta of {at} after {self.at}"
            assert at.delta > self.at.delta, f"{at} after {self.at}"
            self.at = at
            self._add(data)
            return
        assert at == (self.at.seq + 1, 0), f"{at} after {self.at}"
        self.at = at
        match data:
            case Thread():
                assert at.seq == 1
            case Message():
                self._take_message(str(event.event), data)
            case RunStep():
                self._take_step(str(event.event), data)
            case Run():
                self._take_run(str(event.event), data)
            case _:
                raise AssertionError(event)

    def _take_run(self, name: str, run: Run) -> None:
        if name == EventName.RUN_CREATED:
            assert self.status is None
            assert run.status is Status.QUEUED
            return
        assert run.status is RUN_STATUS[name]
        assert self._late or run.status in AFTER[self.status], f"{self.status} to {run.status}"
        assert self.message is None or run.status in {Status.IN_PROGRESS, Status.CANCELLING}, (
            f"{run.status}, message open"
        )
        open_step = self.step is not None
        if run.status is Status.REQUIRES_ACTION:
            assert open_step or self._late
        elif run.status in {Status.QUEUED, Status.IN_PROGRESS} and self.step is not None:
            # A step of server tools survives its worker. The kind of its calls is checked when the step is closed.
            assert self.step.type == "tool_calls", f"{run.status}, but a step is open"
            self._survived = True
        elif run.status is not Status.CANCELLING:
            assert not open_step, f"{run.status}, but a step is open"
        self.status = run.status
        if run.status not in {Status.CANCELLING, Status.REQUIRES_ACTION}:
            self._late = False  # no step or message is open, so the state is known

    def _take_step(self, name: str, step: RunStep) -> None:
        kind = name.rpartition(".")[2]
        if kind == "created":
            if self.step is not None:
                assert (self.step.type, step.type) == ("tool_calls", "message_creation")
                assert self.calls_step is None
                self.calls_step, self.step = self.step, step
                return
            assert self.status is Status.IN_PROGRESS or self._late
            self.step, self._calls, self._survived = step, {}, False
        elif kind == "in_progress":
            assert self._late or self.names[-2] == EventName.STEP_CREATED
        else:
            assert step.status == kind
            assert self._late or (self.step is not None and self.step.id == step.id)
            assert self.message is None, f"step {kind}, but its message is open"
            if kind == "completed":
                self._check_calls(step)
            if self._survived:
                assert isinstance(step.step_details, ToolCallsDetails)
                assert not all(isinstance(call, FunctionToolCall) for call in step.step_details.tool_calls)
            self.step, self.calls_step = self.calls_step, None

    def _take_message(self, name: str, message: Message) -> None:
        kind = name.rpartition(".")[2]
        if kind == "created":
            assert self.message is None
            assert message.content == []
            if self.step is not None:
                assert isinstance(self.step.step_details, MessageCreationDetails)
                assert self.step.step_details.message_creation.message_id == message.id
            self.message, self._parts = message, 0
            self.texts[message.id] = ""
        elif kind == "in_progress":
            assert self._late or self.names[-2] == EventName.MESSAGE_CREATED
        else:
            assert message.status == kind
            assert self._late or (self.message is not None and self.message.id == message.id)
            assert len(message.content) >= self._parts, "a part that was streamed is missing"
            said = "".join(getattr(part, "refusal", None) or part.text.value for part in message.content)  # type: ignore[union-attr]
            streamed = self.texts.setdefault(message.id, "")
            # A crash loses streamed text that was not stored yet. Only an incomplete message may lack it.
            lost = kind == "incomplete" and streamed.startswith(said)
            assert self._late or lost or said.startswith(streamed), f"{streamed!r} was streamed, {said!r} is stored"
            self.message = None

    def _add(self, data: MessageDelta | RunStepDelta) -> None:
        if isinstance(data, MessageDelta):
            assert self._late or (self.message is not None and self.message.id == data.id)
            assert data.delta.content is not UNSET
            for part in data.delta.content:
                assert self._late or part.index in {self._parts - 1, self._parts}, "parts are contiguous"
                self._parts = max(self._parts, part.index + 1)
                self.texts[data.id] = self.texts.get(data.id, "") + _said(part)
            return
        assert self._late or (self.step is not None and self.step.id == data.id)
        details = data.delta.step_details
        assert isinstance(details, ToolCallsDelta)
        assert details.tool_calls is not UNSET
        for call in details.tool_calls:
            if isinstance(call, FunctionToolCallDelta):
                self._add_call(call)
            else:
                self._add_server_call(call)

    def _add_call(self, call: FunctionToolCallDelta) -> None:
        assert call.function is not UNSET
        if call.index not in self._calls and not self._late:
            assert call.index == len(self._calls), "calls are contiguous"
            assert call.id is not UNSET, "the first delta of a call brings its id"
            assert call.function.name is not UNSET
            self._calls[call.index] = [call.id, call.function.name, ""]
        elif not self._late:
            assert call.id is UNSET, "an id comes once: clients would join it"
            assert call.function.name is UNSET
        if call.index in self._calls and call.function.arguments is not UNSET:
            self._calls[call.index][2] += call.function.arguments

    def _add_server_call(self, call: CodeInterpreterCallDelta | FileSearchCallDelta) -> None:
        if call.index not in self._calls and not self._late:
            assert call.index == len(self._calls), "calls are contiguous"
            assert call.id is not UNSET, "the first delta of a call brings its id"
            self._calls[call.index] = [call.id, "", ""]
        elif not self._late:
            assert call.id is UNSET, "an id comes once: clients would join it"

    def _check_calls(self, step: RunStep) -> None:
        if not isinstance(step.step_details, ToolCallsDetails):
            return
        for index, (id, name, arguments) in self._calls.items():
            made = step.step_details.tool_calls[index]
            assert made.id == id
            if isinstance(made, FunctionToolCall):
                assert made.function.name == name
                assert made.function.arguments.startswith(arguments)


def _said(part: object) -> str:
    match part:
        case TextPartDelta(text=text) if text is not UNSET and text.value is not UNSET:
            return text.value
        case RefusalPartDelta(refusal=refusal) if refusal is not UNSET:
            return refusal
        case _:
            raise AssertionError(part)
