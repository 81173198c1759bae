"""Validation of a request that a typed decode refused: finds the first error and its path.

An object is checked for unknown fields first, then for missing ones, then each value in the order in which it was sent.
A walk in Python is slow, so it ends after a number of values; the error is then described by the decoder.
"""

import re
from typing import Any

from msgspec import Struct
from msgspec import inspect as kinds

from runstead.wire.codec import request_errors
from runstead.wire.codec.introspect import (
    accepts_null,
    fields_of,
    literals,
    options,
    options_for,
    pattern_in_json,
    type_of,
)

__all__ = ["raise_first_error"]


_MAX_STEPS = 2000
"""Values that are looked at, at most: 15 ms."""


class _OutOfStepsError(Exception):
    """The walk has looked at as many values as it may."""


class _Steps:
    """Counts the values that a walk looks at."""

    def __init__(self) -> None:
        self._left = _MAX_STEPS

    def take(self) -> None:
        """Look at one more value. `_OutOfStepsError` if that is too many."""
        self._left -= 1
        if self._left < 0:
            raise _OutOfStepsError


def raise_first_error(kind: type[Struct], value: dict[str, Any]) -> None:
    """Raise `BadRequest` for the first error in `value`. Returns if it has none among its first 2,000 values."""
    try:
        _walk(type_of(kind), value, "", _Steps())
    except _OutOfStepsError:
        return


def _walk(kind: kinds.Type, value: Any, at: str, steps: "_Steps") -> None:
    """Raise the first error in `value`; `at` is its path, `steps` counts the values."""
    steps.take()
    choices = options(kind)
    if value is None and accepts_null(kind):
        return
    fits = options_for(choices, value)
    if not fits:
        raise request_errors.wrong_type(at, _nouns(choices), value)
    match fits[0]:
        case kinds.StructType():
            _walk_struct(fits, value, at, steps)
        case kinds.DictType() as mapping:
            _walk_mapping(mapping, value, at, steps)
        case kinds.ListType() as array:
            _walk_array(array, value, at, steps)
        case kinds.StrType() as string:
            _walk_string(string, value, at)
        case kinds.IntType() | kinds.FloatType() as number:
            _walk_number(number, value, at)
        case kinds.LiteralType() | kinds.EnumType() as choice:
            if value not in literals(choice):
                raise request_errors.not_supported(at, value, literals(choice))
        case _:
            pass


def _walk_struct(structs: list[kinds.Type], value: dict[str, Any], at: str, steps: "_Steps") -> None:
    struct = _tagged(structs, value, at)
    fields = fields_of(struct.cls)
    known = fields.keys() | {struct.tag_field}
    for name in value:
        if name not in known and struct.forbid_unknown_fields:
            raise request_errors.unknown(_join(at, name))
    for name, field in fields.items():
        if field.required and name not in value:
            raise request_errors.missing(_join(at, name))
    for name, inner in value.items():
        if name in fields:
            _walk(fields[name].type, inner, _join(at, name), steps)


def _tagged(structs: list[kinds.Type], value: dict[str, Any], at: str) -> kinds.StructType:
    """The struct whose tag `value` has."""
    candidates = [struct for struct in structs if isinstance(struct, kinds.StructType)]
    field = candidates[0].tag_field
    if field is None:
        return candidates[0]
    if field not in value:
        raise request_errors.missing(_join(at, field))
    tag = value[field]
    if not isinstance(tag, str):
        raise request_errors.wrong_type(_join(at, field), ["a string"], tag)
    for candidate in candidates:
        if candidate.tag == tag:
            return candidate
    raise request_errors.not_supported(_join(at, field), tag, [str(candidate.tag) for candidate in candidates])


def _walk_mapping(mapping: kinds.DictType, value: dict[str, Any], at: str, steps: "_Steps") -> None:
    if mapping.max_length is not None and len(value) > mapping.max_length:
        raise request_errors.too_many_properties(at, mapping.max_length, len(value))
    longest = mapping.key_type.max_length if isinstance(mapping.key_type, kinds.StrType) else None
    for name, inner in value.items():
        if longest is not None and len(name) > longest:
            raise request_errors.property_name_too_long(at, name, longest)
        _walk(mapping.value_type, inner, _join(at, request_errors.elide(name)), steps)


def _walk_array(array: kinds.ListType, value: list[Any], at: str, steps: "_Steps") -> None:
    if array.max_length is not None and len(value) > array.max_length:
        raise request_errors.too_many_items(at, array.max_length, len(value))
    if array.min_length is not None and len(value) < array.min_length:
        raise request_errors.too_few_items(at, array.min_length, len(value))
    for index, inner in enumerate(value):
        _walk(array.item_type, inner, f"{at}[{index}]", steps)


def _walk_string(string: kinds.StrType, value: str, at: str) -> None:
    if string.max_length is not None and len(value) > string.max_length:
        raise request_errors.too_long(at, string.max_length, len(value))
    if string.min_length is not None and len(value) < string.min_length:
        raise request_errors.too_short(at, string.min_length, len(value))
    if string.pattern is not None and not re.search(string.pattern, value):
        raise request_errors.pattern_mismatch(at, pattern_in_json(string.pattern))


def _walk_number(number: kinds.IntType | kinds.FloatType, value: float, at: str) -> None:
    noun = "integer" if isinstance(number, kinds.IntType) else "decimal"
    if number.le is not None and value > number.le:
        raise request_errors.number_out_of_range(at, noun, number.le, value, above=True)
    if number.ge is not None and value < number.ge:
        raise request_errors.number_out_of_range(at, noun, number.ge, value, above=False)


def _nouns(choices: list[kinds.Type]) -> list[str]:
    """The expected types, each with its article, without repetitions."""
    nouns = [_noun(choice) for choice in choices]
    return list(dict.fromkeys(nouns))


def _noun(kind: kinds.Type) -> str:
    match kind:
        case kinds.StrType():
            return "a string"
        case kinds.IntType():
            return "an integer"
        case kinds.FloatType():
            return "a decimal"
        case kinds.BoolType():
            return "a boolean"
        case kinds.LiteralType() | kinds.EnumType():
            return f"one of {request_errors.quoted(literals(kind), 'or')}"
        case kinds.ListType(item_type=item):
            noun = _noun(options(item)[0])
            return "an array" if noun.startswith("one of") else f"an array of {noun.split(' ', 1)[1]}s"
        case _:
            return "an object"


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
