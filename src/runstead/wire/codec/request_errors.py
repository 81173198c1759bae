"""The errors of an invalid request: a function for each, with the message that clients of the original API know.

`param` is the path of the value, such as `metadata.modified` or `tools[0].function.name`.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from runstead.wire.error import BadRequest

__all__ = [
    "elide",
    "missing",
    "not_an_object",
    "not_json",
    "not_supported",
    "number_out_of_range",
    "pattern_mismatch",
    "property_name_too_long",
    "quoted",
    "refused",
    "too_few_items",
    "too_long",
    "too_many_items",
    "too_many_properties",
    "too_short",
    "unknown",
    "wrong_type",
]

Number: TypeAlias = int | float

_MAX_SHOWN = 100
"""Characters of a client's text that an error message repeats at most."""


def not_json(reason: str) -> BadRequest:
    """The body is not valid JSON."""
    return BadRequest(
        "We could not parse the JSON body of your request. "
        f"Expected a JSON object in UTF-8, sent with 'content-type: application/json'. The reader says: {reason}."
    )


def not_an_object(value: Any) -> BadRequest:
    """The body is JSON, but not an object."""
    return BadRequest(
        f"Invalid type for the request body: expected an object, but got {_kind(value)} instead.", code="invalid_type"
    )


def refused(reason: str) -> BadRequest:
    """The decoder refused the body, and no other words for its error were found."""
    return BadRequest(f"Invalid request: {elide(reason)}")


def missing(param: str) -> BadRequest:
    """A required field is absent."""
    return BadRequest(f"Missing required parameter: '{param}'.", param=param, code="missing_required_parameter")


def unknown(param: str) -> BadRequest:
    """The type has no such field."""
    shown = elide(param)
    return BadRequest(f"Unknown parameter: '{shown}'.", param=shown, code="unknown_parameter")


def wrong_type(param: str, expected: Sequence[str], value: Any) -> BadRequest:
    """The value has another JSON type. `expected` are nouns with their article, such as `a string`."""
    first, *others = expected
    if others:
        # Of several types only the first has an article: one of a string or array of objects.
        first = "one of " + " or ".join([first.removeprefix("one of "), *(_bare(other) for other in others)])
    return BadRequest(
        f"Invalid type for '{param}': expected {first}, but got {_kind(value)} instead.",
        param=param,
        code="invalid_type",
    )


def not_supported(param: str, value: Any, supported: Sequence[str]) -> BadRequest:
    """The value is not one of the supported ones."""
    return BadRequest(
        f"Invalid value: '{elide(str(value))}'. Supported values are: {quoted(supported, 'and')}.",
        param=param,
        code="invalid_value",
    )


def too_long(param: str, limit: int, length: int) -> BadRequest:
    """A string has too many characters."""
    return BadRequest(
        f"Invalid '{param}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead.",
        param=param,
        code="string_above_max_length",
    )


def too_short(param: str, limit: int, length: int) -> BadRequest:
    """A string has too few characters. An empty one has a code of its own."""
    fault, got, code = "string too short", f"a string with length {length}", "string_below_min_length"
    if length == 0:
        fault, got, code = "empty string", "an empty string", "empty_string"
    return BadRequest(
        f"Invalid '{param}': {fault}. Expected a string with minimum length {limit}, but got {got} instead.",
        param=param,
        code=code,
    )


def pattern_mismatch(param: str, pattern: str) -> BadRequest:
    """A string has characters that are not allowed."""
    return BadRequest(
        f"Invalid '{param}': string does not match pattern. Expected a string that matches the pattern '{pattern}'.",
        param=param,
        code="invalid_value",
    )


def too_many_items(param: str, limit: int, length: int) -> BadRequest:
    """An array has too many items."""
    return BadRequest(
        f"Invalid '{param}': array too long. Expected an array with maximum length {limit}, "
        f"but got an array with length {length} instead.",
        param=param,
        code="array_above_max_length",
    )


def too_few_items(param: str, limit: int, length: int) -> BadRequest:
    """An array has too few items. An empty one has a code of its own."""
    fault, got, code = "array too short", f"an array with length {length}", "array_below_min_length"
    if length == 0:
        fault, got, code = "empty array", "an empty array", "empty_array"
    return BadRequest(
        f"Invalid '{param}': {fault}. Expected an array with minimum length {limit}, but got {got} instead.",
        param=param,
        code=code,
    )


def too_many_properties(param: str, limit: int, count: int) -> BadRequest:
    """An object has too many properties."""
    return BadRequest(
        f"Invalid '{param}': too many properties. Expected an object with at most {limit} properties, "
        f"but got an object with {count} properties instead.",
        param=param,
        code="object_above_max_properties",
    )


def property_name_too_long(param: str, name: str, limit: int) -> BadRequest:
    """A key of an object has too many characters."""
    return BadRequest(
        f"Invalid property name in '{param}': '{elide(name)}' is too long. "
        f"Expected a string with maximum length {limit}, but got a string with length {len(name)} instead.",
        param=param,
        code="property_name_above_max_length",
    )


def number_out_of_range(param: str, kind: str, limit: Number, value: Number, *, above: bool) -> BadRequest:
    """A number is above the maximum or below the minimum. `kind` is `integer` or `decimal`."""
    side, end, sign = ("above", "maximum", "<=") if above else ("below", "minimum", ">=")
    return BadRequest(
        f"Invalid '{param}': {kind} {side} {end} value. Expected a value {sign} {limit}, "
        f"but got {elide(str(value))} instead.",
        param=param,
        code=f"{kind}_{side}_{end[:3]}_value",
    )


def quoted(values: Sequence[str], word: str) -> str:
    """The values as a list in words, such as `'a', 'b', and 'c'`; `word` is the last conjunction."""
    *head, last = [f"'{value}'" for value in values]
    if not head:
        return last
    comma = "," if len(head) > 1 else ""
    return f"{', '.join(head)}{comma} {word} {last}"


def _kind(value: Any) -> str:
    """The JSON type of a value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def _bare(noun: str) -> str:
    return noun.removeprefix("a ").removeprefix("an ")


def elide(text: str) -> str:
    """A client's text as an error message repeats it: a long one without its middle."""
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN // 2]}...{text[-_MAX_SHOWN // 2 :]}"
