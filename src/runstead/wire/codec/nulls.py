"""Null of an optional field is "not given", at every depth.

Programs whose serialiser writes every field send null for the fields that they did not set, also for those that only
another member of a union has. A type says `| None` where null is a value of its own, such as "clear this field" in an
update. Everywhere else a null is dropped here, before the JSON is decoded into its type. What stays is an error: null
of a required field, and null as an item of an array or as a value of a mapping.
"""

from typing import Any

from msgspec import inspect as kinds

from runstead.wire.codec.introspect import accepts_null, options, options_for, struct_for

__all__ = ["drop_nulls"]


def drop_nulls(kind: kinds.Type, value: Any) -> int:
    """Drop, in place, the nulls in `value` that its type does not have. How many there were.

    Arrays that are longer than their type allows are not searched.
    """
    match value:
        case dict():
            struct = struct_for(options(kind), value)
            return 0 if struct is None else _drop_in_struct(struct, value)
        case list():
            return sum(_drop_in_array(array, value) for array in options_for(options(kind), value))
        case _:
            return 0


def _drop_in_array(array: kinds.Type, value: list[Any]) -> int:
    if not isinstance(array, kinds.ListType) or (array.max_length is not None and len(value) > array.max_length):
        return 0
    return sum(drop_nulls(array.item_type, item) for item in value)


def _drop_in_struct(struct: kinds.StructType, value: dict[str, Any]) -> int:
    fields = {field.encode_name: field for field in struct.fields}
    absent = [name for name, inner in value.items() if inner is None and _is_droppable(struct, name, fields.get(name))]
    for name in absent:
        del value[name]
    return len(absent) + sum(drop_nulls(fields[name].type, inner) for name, inner in value.items() if name in fields)


def _is_droppable(struct: kinds.StructType, name: str, field: kinds.Field | None) -> bool:
    """Whether a field of the struct, or one that it does not have, says nothing by a null."""
    if field is None:
        return name != struct.tag_field
    return not field.required and not accepts_null(field.type)
