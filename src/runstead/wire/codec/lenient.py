"""Answers of a newer or a foreign server, read without the fields that this version does not know.

What a server says may have unknown fields anyway; but parts that a client sends too, such as tools, refuse them.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import inspect as kinds

from runstead.wire.codec.introspect import fitting, options, type_of
from runstead.wire.event import EVENT_DATA, Event, RawEvent, decode_event

__all__ = ["decode_lenient", "read_event"]

T = TypeVar("T")


def decode_lenient(kind: type[T], raw: bytes) -> T:
    """The object that an answer holds, for when the typed decode has failed.

    Raises `msgspec.ValidationError` if it fails without the unknown fields too, `msgspec.DecodeError` if it is no JSON.
    """
    return msgspec.convert(_known(type_of(kind), msgspec.json.decode(raw)), kind)


def read_event(event: RawEvent) -> Event:
    """A stored event, which a newer version may have written, as a program reads it."""
    try:
        return decode_event(event.name, event.data, str(event.at))
    except msgspec.ValidationError:
        data = decode_lenient(EVENT_DATA[event.name], event.data)
        return Event(event=event.name, data=data, id=str(event.at))


def _known(kind: kinds.Type, value: Any) -> Any:
    """The value without what its type has no place for."""
    match value:
        case dict():
            return _known_of_object(fitting(options(kind), value), value)
        case list():
            arrays = [array for array in fitting(options(kind), value) if isinstance(array, kinds.ListType)]
            return [_known(arrays[0].item_type, item) for item in value] if arrays else value
        case _:
            return value


def _known_of_object(choices: list[kinds.Type], value: dict[str, Any]) -> dict[str, Any]:
    for choice in choices:
        if isinstance(choice, kinds.DictType):
            return {name: _known(choice.value_type, inner) for name, inner in value.items()}
        if isinstance(choice, kinds.StructType) and choice.tag in {None, value.get(choice.tag_field or "")}:
            return _known_of_struct(choice, value)
    return value


def _known_of_struct(struct: kinds.StructType, value: dict[str, Any]) -> dict[str, Any]:
    fields = {field.encode_name: field for field in struct.fields}
    return {
        name: _known(fields[name].type, inner) if name in fields else inner
        for name, inner in value.items()
        if name in fields or name == struct.tag_field
    }
