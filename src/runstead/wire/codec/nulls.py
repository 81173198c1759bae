"""Null of an optional field is "not given", at every depth.

Programs whose serialiser writes every field send null for the fields that they did not set, also for those that only
another member of a union has. A type says `| None` where null is a value of its own, such as "clear this field" in an
update. Everywhere else a null is dropped here, before the JSON is decoded into its type. What stays is an error: null
of a required field, and null as an item of an array or as a value of a mapping.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec import inspect as kinds

from runstead.wire.codec.introspect import accepts_null, fields_of, options, struct_for

__all__ = ["drop_nulls"]


def drop_nulls(kind: kinds.Type, value: Any) -> int:
    """Drop, in place, the nulls in `value` that its type does not have. Returns their number.

    Arrays that are longer than their type allows are not searched.
    """
    return _drop(options(kind), value)


class _Fields(NamedTuple):
    """Which fields of a struct keep a null, and which have fields inside."""

    keep: frozenset[str]
    """Those in which a null is a value, or an error."""
    nested: Mapping[str, Sequence[kinds.Type]]
    """Those that have fields inside, with the types that they may have."""


@cache
def _fields(struct: type[Struct], tag_field: str | None) -> _Fields:
    fields = fields_of(struct)
    keep = {name for name, field in fields.items() if field.required or accepts_null(field.type)}
    nested = {name: options(field.type) for name, field in fields.items()}
    return _Fields(
        frozenset(keep | {tag_field or ""}),
        {name: choices for name, choices in nested.items() if any(isinstance(each, _NESTED) for each in choices)},
    )


_NESTED = (kinds.StructType, kinds.ListType)


def _drop(choices: Sequence[kinds.Type], value: Any) -> int:
    match value:
        case dict():
            struct = struct_for(choices, value)
            return 0 if struct is None else _drop_in_struct(_fields(struct.cls, struct.tag_field), value)
        case list():
            return sum(_drop_in_array(array, value) for array in choices if isinstance(array, kinds.ListType))
        case _:
            return 0


def _drop_in_array(array: kinds.ListType, value: list[Any]) -> int:
    if array.max_length is not None and len(value) > array.max_length:
        return 0
    choices = options(array.item_type)
    return sum(_drop(choices, item) for item in value)


def _drop_in_struct(fields: _Fields, value: dict[str, Any]) -> int:
    absent = [name for name, inner in value.items() if inner is None and name not in fields.keep]
    for name in absent:
        del value[name]
    return len(absent) + sum(_drop(choices, value[name]) for name, choices in fields.nested.items() if name in value)
