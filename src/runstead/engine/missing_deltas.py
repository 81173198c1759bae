"""The deltas that a reader of a run's events has missed, made from the events that end messages and calls.

Deltas are not stored, and a broker may lose them. A program that only adds them up would lack text, so the rest follows
as one delta before the event that has the whole:

    message.created  delta "Hel"  (lost: "lo", " wor", "ld")  delta "lo world"  message.completed
                     7.1                                       7.2               8

A stream that begins in the middle of a message adds nothing to it, because it does not know what its reader has. Nor do
messages get deltas that had ended when the stream began: the reader gets the history as it is stored.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from runstead.domain.chat.assembly import delta_annotation
from runstead.wire.delta import (
    FunctionDelta,
    FunctionToolCallDelta,
    MessageDelta,
    MessageDeltaBody,
    PartDelta,
    RefusalPartDelta,
    RunStepDelta,
    RunStepDeltaBody,
    TextDelta,
    TextPartDelta,
    ToolCallDelta,
    ToolCallsDelta,
)
from runstead.wire.event import EventName, Position, RawEvent

__all__ = ["MissingDeltas"]

_UNCOUNTED = 64
"""Deltas that are counted together: a message of ordinary length is decoded once, when it ends."""
_MESSAGE_ENDS = frozenset({EventName.MESSAGE_COMPLETED, EventName.MESSAGE_INCOMPLETE})
_STEP_ENDS = frozenset(
    {EventName.STEP_COMPLETED, EventName.STEP_FAILED, EventName.STEP_CANCELLED, EventName.STEP_EXPIRED}
)


class _Text(Struct):
    value: str = ""
    annotations: list[dict[str, Any]] = []


class _Part(Struct):
    index: int = 0
    type: str = ""
    text: _Text | None = None
    refusal: str | None = None


class _Function(Struct):
    name: str = ""
    arguments: str = ""


class _Call(Struct):
    index: int = -1
    id: str = ""
    type: str = "function"
    function: _Function | None = None


class _Calls(Struct):
    tool_calls: list[_Call] = []


class _Action(Struct):
    submit_tool_outputs: _Calls = msgspec.field(default_factory=_Calls)


class _Body(Struct):
    content: list[_Part] = []
    step_details: _Calls = msgspec.field(default_factory=_Calls)


class _Delta(Struct):
    delta: _Body = msgspec.field(default_factory=_Body)


class _Object(Struct):
    """The text and calls in the events of a message, a step or a run."""

    id: str = ""
    content: list[_Part] = []
    step_details: _Calls = msgspec.field(default_factory=_Calls)
    required_action: _Action | None = None


_deltas = msgspec.json.Decoder(list[_Delta]).decode
_object = msgspec.json.Decoder(_Object).decode
_encode = msgspec.json.Encoder().encode


class MissingDeltas:
    """Remembers how much of the open message and of the open calls a reader was given. `after` is its position."""

    def __init__(self, after: Position, *, live: bool) -> None:
        self._at = after
        self.live = live
        """Whether the events from here on happen after the stream began."""
        self._message: str | None = None
        """The id of the open message, if the reader was given its beginning."""
        self._parts: dict[int, int] = {}
        """The characters of its parts."""
        self._notes: dict[int, int] = {}
        """The annotations of its parts. Each comes with the text that it is about."""
        self._step: str | None = None
        """The id of the open step, if the reader was given its beginning."""
        self._calls: dict[str, tuple[int, int]] = {}
        """The calls of that step, by id: the index, and the characters of the arguments."""
        self._uncounted: list[bytes] = []

    def added_to(self, events: Sequence[RawEvent]) -> Sequence[RawEvent]:
        """The events, which continue those before, with a delta before each event whose deltas were incomplete."""
        first, at = events[0].at, events[-1].at
        if first.delta and first.seq == at.seq:
            self._keep(events)
            self._at = at
            return events
        whole: list[RawEvent] = []
        for event in events:
            if (missing := self._before(event)) is not None:
                whole.append(missing)
            whole.append(event)
            self._at = event.at
        return whole

    def _keep(self, deltas: Sequence[RawEvent]) -> None:
        self._uncounted += [event.data for event in deltas]
        if len(self._uncounted) >= _UNCOUNTED:
            self._count()

    def _before(self, event: RawEvent) -> RawEvent | None:
        """The delta that the reader has missed before this event."""
        name = event.name
        if event.at.delta:
            self._keep([event])
        elif name in {EventName.MESSAGE_CREATED, EventName.STEP_CREATED}:
            self._begin(event)
        elif name in _MESSAGE_ENDS:
            return self._before_end_of_message(event)
        elif name in _STEP_ENDS or name is EventName.RUN_REQUIRES_ACTION:
            return self._before_calls(event)
        return None

    def _begin(self, event: RawEvent) -> None:
        self._count()
        if event.name is EventName.MESSAGE_CREATED:
            self._message, self._parts, self._notes = _object(event.data).id, {}, {}
        elif b'"tool_calls"' in event.data:
            self._step, self._calls = _object(event.data).id, {}

    def _count(self) -> None:
        """Count the deltas that were kept."""
        uncounted, self._uncounted = self._uncounted, []
        try:
            deltas = _deltas(b"[%b]" % b",".join(uncounted))
        except msgspec.DecodeError:  # a foreign message of the broker
            self._message = self._step = None
            return
        for delta in deltas:
            for part in delta.delta.content:
                text = part.refusal if part.text is None else part.text.value
                self._parts[part.index] = self._parts.get(part.index, 0) + len(text or "")
                if part.text is not None and part.text.annotations:
                    self._notes[part.index] = self._notes.get(part.index, 0) + len(part.text.annotations)
            for call in delta.delta.step_details.tool_calls:
                self._count_call(call)

    def _count_call(self, call: _Call) -> None:
        if call.id:
            self._calls[call.id] = call.index, 0
        if call.function is None:
            return
        for id, (index, length) in self._calls.items():
            if index == call.index:
                self._calls[id] = index, length + len(call.function.arguments)
                return

    def _before_end_of_message(self, event: RawEvent) -> RawEvent | None:
        self._count()
        id, self._message = self._message, None
        if id is None or not self.live or (message := _object(event.data)).id != id:
            return None
        parts = list(self._rest_of(message.content))
        body = MessageDeltaBody(content=parts)
        return self._delta(EventName.MESSAGE_DELTA, MessageDelta(id=id, delta=body)) if parts else None

    def _rest_of(self, content: Sequence[_Part]) -> Iterator[PartDelta]:
        """The missing deltas of the parts of a message."""
        for index, part in enumerate(content):
            given = self._parts.get(index)
            text = part.refusal if part.text is None else part.text.value
            if not text or len(text) <= (given or 0):
                continue
            if part.text is None:
                yield RefusalPartDelta(index=index, refusal=text[given:])
            else:
                notes = _numbered(part.text.annotations, self._notes.get(index, 0))
                rest = TextDelta(value=text[given:], annotations=notes or ([] if given is None else UNSET))
                yield TextPartDelta(index=index, text=rest)

    def _before_calls(self, event: RawEvent) -> RawEvent | None:
        """The delta before an event that has whole calls: the run that asks for outputs, or the end of their step."""
        self._count()
        if self._step is None or not self.live:
            return None
        found = _object(event.data)
        step, calls = self._step, found.step_details.tool_calls
        if event.name is EventName.RUN_REQUIRES_ACTION:
            calls = found.required_action.submit_tool_outputs.tool_calls if found.required_action else []
        elif found.id == step:
            self._step = None
        else:
            return None
        missing = [delta for call in calls if (delta := self._rest_of_call(call)) is not None]
        if not missing:
            return None
        body = RunStepDeltaBody(step_details=ToolCallsDelta(tool_calls=missing))
        return self._delta(EventName.STEP_DELTA, RunStepDelta(id=step, delta=body))

    def _rest_of_call(self, call: _Call) -> ToolCallDelta | None:
        """The missing deltas of a call of a function. Calls of other tools are shown by their own deltas."""
        if call.function is None or call.type != "function":
            return None
        arguments = call.function.arguments
        index, given = self._calls.get(call.id, (len(self._calls), -1))
        self._calls[call.id] = index, len(arguments)
        if given < 0:
            function = FunctionDelta(name=call.function.name, arguments=arguments, output=None)
            return FunctionToolCallDelta(index=index, id=call.id, function=function)
        if len(arguments) <= given:
            return None
        return FunctionToolCallDelta(index=index, function=FunctionDelta(arguments=arguments[given:]))

    def _delta(self, name: EventName, data: MessageDelta | RunStepDelta) -> RawEvent:
        return RawEvent(Position(self._at.seq, self._at.delta + 1), name, _encode(data))


def _numbered(notes: Sequence[dict[str, Any]], given: int) -> list[dict[str, Any]]:
    """The annotations of a text after those that were given, as deltas have them."""
    return [delta_annotation(number, note) for number, note in enumerate(notes[given:], given)]
