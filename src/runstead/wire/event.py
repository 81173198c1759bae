"""The events of a run: their names, the object that each carries, and their positions.

An event is either *stored*, with a number of its own (`seq`), or a *delta*, numbered after the stored event that it
follows. A `Position` is the place of an event among a run's events; on the wire it is the SSE id, `17` or `17.4`.
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
    """The names of events, as on the `event:` line of a stream."""

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
        """Whether a stream ends after this event, because the run has ended or waits for the client."""
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
"""The data of a stream's last frame, whose event is `done`."""


class Position(NamedTuple):
    """A position in a run's events: after the stored event `seq`, and after `delta` deltas that followed it."""

    seq: int
    delta: int = 0

    def __str__(self) -> str:
        return f"{self.seq}.{self.delta}" if self.delta else str(self.seq)

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position written as `17` or `17.4`. `BadRequest` if the text is neither."""
        seq, dot, delta = text.partition(".")
        if _is_number(seq) and (not dot or _is_number(delta)):
            return cls(int(seq), int(delta or 0))
        raise BadRequest(
            f"Invalid 'after': '{text[:64]}'. Expected the id of an event, such as '17' or '17.4'.",
            param="after",
            code="invalid_value",
        )


def _is_number(text: str) -> bool:
    """Whether the text is digits only, and no more of them than an integer of the database has."""
    return text.isascii() and text.isdigit() and len(text) <= 18


START = Position(0)
"""The position before the first event."""

EventData: TypeAlias = Thread | Run | RunStep | RunStepDelta | Message | MessageDelta | ErrorBody


class RawEvent(NamedTuple):
    """An event whose data is encoded as JSON. As it is stored and published, data about a run is the run's state alone:
    `codec/run_parts`.
    """

    at: Position
    name: EventName
    data: bytes


class Event(Object, frozen=True, kw_only=True):
    """A decoded event. `id` is its position, from which `run_events` continues; None if the server sends no ids."""

    event: EventName | str
    data: EventData | msgspec.Raw
    id: str | None = None


EVENT_DATA: dict[str, type[EventData]] = {}
"""The type of each event's data, by the event's name."""
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
    """The event of a frame. The data of an event with an unknown name remains raw JSON."""
    known = _DECODERS.get(name)
    if known is None:
        return Event(event=name, data=msgspec.Raw(data), id=id)
    return Event(event=known[0], data=known[1].decode(data), id=id)
