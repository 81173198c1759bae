"""Lenient decoding of responses: a newer or another server may send fields that this version does not know.

Objects of the server ignore unknown fields anyway. Structs that are also part of requests, such as tools, refuse them,
so they are removed here.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import inspect as kinds

from runstead.wire.codec.introspect import options, options_for, type_of
from runstead.wire.event import EVENT_DATA, Event, RawEvent, decode_event

__all__ = ["decode_lenient", "read_event"]

T = TypeVar("T")


def decode_lenient(kind: type[T], raw: bytes) -> T:
    """The object in a response whose typed decode failed.

    Raises `msgspec.ValidationError` if it is invalid even without unknown fields, `msgspec.DecodeError` if it is not
    JSON.
    """
    return msgspec.convert(_without_unknown(type_of(kind), msgspec.json.decode(raw)), kind)


def read_event(event: RawEvent) -> Event:
    """A stored event, which a newer version may have written."""
    try:
        return decode_event(event.name, event.data, str(event.at))
    except msgspec.ValidationError:
        data = decode_lenient(EVENT_DATA[event.name], event.data)
        return Event(event=event.name, data=data, id=str(event.at))


def _without_unknown(kind: kinds.Type, value: Any) -> Any:
    """The value without the fields that its type does not have."""
    match value:
        case dict():
            return _without_unknown_in_object(options_for(options(kind), value), value)
        case list():
            arrays = [array for array in options_for(options(kind), value) if isinstance(array, kinds.ListType)]
            return [_without_unknown(arrays[0].item_type, item) for item in value] if arrays else value
        case _:
            return value


def _without_unknown_in_object(choices: list[kinds.Type], value: dict[str, Any]) -> dict[str, Any]:
    for choice in choices:
        if isinstance(choice, kinds.DictType):
            return {name: _without_unknown(choice.value_type, inner) for name, inner in value.items()}
        if isinstance(choice, kinds.StructType) and (
            choice.tag is None or choice.tag == value.get(choice.tag_field or "")
        ):
            return _without_unknown_in_struct(choice, value)
    return value


def _without_unknown_in_struct(struct: kinds.StructType, value: dict[str, Any]) -> dict[str, Any]:
    fields = {field.encode_name: field for field in struct.fields}
    return {
        name: _without_unknown(fields[name].type, inner) if name in fields else inner
        for name, inner in value.items()
        if name in fields or name == struct.tag_field
    }
