"""The rows of stored events: what one transaction reported of a run, without what other rows say already.

The body of a row is a JSON array of `[name, data]`. Data is spliced in and cut out as it is, never decoded:

- `null` stands for the data of the event before.
- An event about a run has the run's state; `wire/codec/run_parts` says what else belongs to it.
- An event about a message or a step that has ended lacks the content or the details: the object's own row has them, and
  does not change any more. `complete` puts them in. So a text is stored once, and is gone with its message.
"""

from collections.abc import Mapping

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from runstead.domain.run.change import Change
from runstead.wire.event import EVENT_DATA, EventName, Position, RawEvent

__all__ = ["complete", "incomplete", "pack", "unpack"]

_decode = msgspec.json.Decoder(list[tuple[str, Raw]]).decode
_parse = msgspec.json.Decoder(dict[str, Raw]).decode
_REPEATED = b"null"
_ENDED: Mapping[str, str] = {
    EventName.MESSAGE_COMPLETED: "content",
    EventName.MESSAGE_INCOMPLETE: "content",
    EventName.STEP_COMPLETED: "step_details",
    EventName.STEP_FAILED: "step_details",
    EventName.STEP_CANCELLED: "step_details",
    EventName.STEP_EXPIRED: "step_details",
}
"""The field that is left out, by the name of the event."""
_GONE = {"content": Raw(b"[]"), "step_details": Raw(b'{"type":"tool_calls","tool_calls":[]}')}
"""The field of an object whose row is gone: a message that was deleted."""


class _Ended(Struct):
    """An object that has ended. The fields are those that tell whether a part of it was left out."""

    id: str = ""
    content: Raw | UnsetType = UNSET
    step_details: Raw | UnsetType = UNSET


_decode_ended = msgspec.json.Decoder(_Ended).decode


def pack(change: Change) -> bytes:
    """The body of the row that holds the events of a change."""
    written = {message.id for message in (*change.new_messages, *change.messages)}
    written |= {row.id for row in (*change.new_steps, *change.steps)}
    parts: list[bytes] = []
    before: bytes | None = None
    for event in change.events:
        data = _REPEATED if event.data == before else _without_ended(event, written)
        parts.append(b'["%b",%b]' % (event.name.encode(), data))
        before = event.data
    return b"[%b]" % b",".join(parts)


def unpack(first: int, body: bytes) -> list[RawEvent]:
    """The events of a row, numbered from `first` on, as the row has them."""
    events: list[RawEvent] = []
    for number, (name, raw) in enumerate(_decode(body), first):
        data = bytes(raw)
        events.append(RawEvent(Position(number), _name(name), events[-1].data if data == _REPEATED else data))
    return events


def incomplete(event: RawEvent) -> str | None:
    """The id of the object whose row has the rest of the event's data; None if nothing was left out."""
    field = _ENDED.get(event.name)
    if field is None:
        return None
    ended = _decode_ended(event.data)
    return ended.id if getattr(ended, field) is UNSET else None


def complete(event: RawEvent, body: bytes | None) -> RawEvent:
    """An incomplete event with what was left out, from the body of the object's row; None if the row is gone."""
    field = _ENDED[event.name]
    kept = _GONE[field] if body is None else _parse(body)[field]
    fields = {**_parse(event.data), field: kept}
    order = EVENT_DATA[event.name].__struct_encode_fields__
    known = {name: fields.pop(name) for name in order if name in fields}
    return event._replace(data=_object({**known, **fields}))


def _without_ended(event: RawEvent, written: set[str]) -> bytes:
    """The data without what the same change writes into the row of the object."""
    field = _ENDED.get(event.name)
    if field is None or _decode_ended(event.data).id not in written:
        return event.data
    fields = _parse(event.data)
    fields.pop(field, None)
    return _object(fields)


def _object(fields: Mapping[str, Raw]) -> bytes:
    return b"{%b}" % b",".join([b'"%b":%b' % (name.encode(), value) for name, value in fields.items()])


def _name(name: str) -> EventName:
    """The name of an event. That of a newer version is passed on as it is: left out, the event would leave a gap."""
    try:
        return EventName(name)
    except ValueError:
        unknown = str.__new__(EventName, name)
        unknown._name_ = unknown._value_ = name
        return unknown
