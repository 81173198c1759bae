"""What a run reports while it lives: events, by name, each with the object it is about.

An event is *stored* (its seq is new, its delta 0) or a *delta*, numbered after the stored event that it follows. A
`Position` is where a reader stands; on the wire it is the SSE id, `17` or `17.4`.
"""

from enum import StrEnum
from typing import NamedTuple, TypeAlias

import msgspec

from runstead.wire.delta import MessageDelta, RunStepDelta
from runstead.wire.error import BadRequest, ErrorBody
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep
from runstead.wire.struct import Object
from runstead.wire.thread import Thread

__all__ = ["DONE", "EVENT_DATA", "START", "Event", "EventData", "EventName", "Position", "RawEvent", "decode_event"]


class EventName(StrEnum):
    """The names on the `event:` line."""

    THREAD_CREATED = "thread.created"
    RUN_CREATED = "thread.run.created"
    RUN_QUEUED = "thread.run.queued"
    RUN_IN_PROGRESS = "thread.run.in_progress"
    RUN_REQUIRES_ACTION = "thread.run.requires_action"
    RUN_COMPLETED = "thread.run.completed"
    RUN_INCOMPLETE = "thread.run.incomplete"
    RUN_FAILED = "thread.run.failed"
    RUN_CANCELLING = "thread.run.cancelling"
    RUN_CANCELLED = "thread.run.cancelled"
    RUN_EXPIRED = "thread.run.expired"
    STEP_CREATED = "thread.run.step.created"
    STEP_IN_PROGRESS = "thread.run.step.in_progress"
    STEP_DELTA = "thread.run.step.delta"
    STEP_COMPLETED = "thread.run.step.completed"
    STEP_FAILED = "thread.run.step.failed"
    STEP_CANCELLED = "thread.run.step.cancelled"
    STEP_EXPIRED = "thread.run.step.expired"
    MESSAGE_CREATED = "thread.message.created"
    MESSAGE_IN_PROGRESS = "thread.message.in_progress"
    MESSAGE_DELTA = "thread.message.delta"
    MESSAGE_COMPLETED = "thread.message.completed"
    MESSAGE_INCOMPLETE = "thread.message.incomplete"
    ERROR = "error"

    @property
    def pausing(self) -> bool:
        """A stream ends after this event: the run has ended, or it waits for the client."""
        return self in _PAUSING


_PAUSING = frozenset(
    {
        EventName.RUN_REQUIRES_ACTION,
        EventName.RUN_COMPLETED,
        EventName.RUN_INCOMPLETE,
        EventName.RUN_FAILED,
        EventName.RUN_CANCELLED,
        EventName.RUN_EXPIRED,
    }
)

DONE = b"[DONE]"
"""The data of the last frame of a stream, whose event is `done`."""


class Position(NamedTuple):
    """Where a reader stands: after stored event `seq`, and after `delta` deltas that followed it."""

    seq: int
    delta: int = 0

    def __str__(self) -> str:
        return f"{self.seq}.{self.delta}" if self.delta else str(self.seq)

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position that `17` or `17.4` stands for; `BadRequest` otherwise."""
        seq, dot, delta = text.partition(".")
        if _is_number(seq) and (not dot or _is_number(delta)):
            return cls(int(seq), int(delta or 0))
        raise BadRequest(
            f"Invalid 'after': '{text[:64]}'. Expected the id of an event, such as '17' or '17.4'.",
            param="after",
            code="invalid_value",
        )


def _is_number(text: str) -> bool:
    """Digits, and no more of them than a database's integers have."""
    return text.isascii() and text.isdigit() and len(text) <= 18


START = Position(0)
"""Before the first event of a run."""

EventData: TypeAlias = Thread | Run | RunStep | RunStepDelta | Message | MessageDelta | ErrorBody


class RawEvent(NamedTuple):
    """An event as it is kept and carried: its data is JSON already."""

    at: Position
    name: EventName
    data: bytes


class Event(Object, frozen=True, kw_only=True):
    """An event as a program reads it. `id` is its position, to go on after it; a foreign server sends none."""

    event: EventName | str
    data: EventData | msgspec.Raw
    id: str | None = None


EVENT_DATA: dict[str, type[EventData]] = {}
"""What each event is about."""
for _name in EventName:
    _kind: type[EventData]
    match _name:
        case EventName.THREAD_CREATED:
            _kind = Thread
        case EventName.ERROR:
            _kind = ErrorBody
        case EventName.MESSAGE_DELTA:
            _kind = MessageDelta
        case EventName.STEP_DELTA:
            _kind = RunStepDelta
        case _ if _name.startswith("thread.run.step."):
            _kind = RunStep
        case _ if _name.startswith("thread.run."):
            _kind = Run
        case _:
            _kind = Message
    EVENT_DATA[_name] = _kind

_DECODERS: dict[str, tuple[EventName, msgspec.json.Decoder[EventData]]] = {
    name: (EventName(name), msgspec.json.Decoder(kind)) for name, kind in EVENT_DATA.items()
}


def decode_event(name: str, data: bytes, id: str | None = None) -> Event:
    """The event of a frame. An unknown name keeps its data as raw JSON."""
    known = _DECODERS.get(name)
    if known is None:
        return Event(event=name, data=msgspec.Raw(data), id=id)
    return Event(event=known[0], data=known[1].decode(data), id=id)
