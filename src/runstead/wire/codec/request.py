"""Requests, read strictly, and refused in words.

A request that is right costs one typed decode. Only when that fails, the JSON is read again without a type and walked
along the type, to find what is wrong.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import Struct
from msgspec import inspect as kinds

from runstead.wire.codec import request_errors
from runstead.wire.codec.introspect import fields_of, options
from runstead.wire.codec.validation import raise_first_error
from runstead.wire.error import BadRequest

__all__ = ["decode_query", "decode_request", "validate"]

T = TypeVar("T", bound=Struct)


def decode_request(kind: type[T], raw: bytes) -> T:
    """The request that a body holds; `BadRequest` says what is wrong with it. No body, or `null`, is `{}`."""
    try:
        request: T = _decoder(kind).decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        stripped = raw.strip()
        if stripped in {b"", b"null"}:
            return decode_request(kind, b"{}")
        _explain(kind, _parse(raw), error)
    return request


def validate(request: T) -> T:
    """The same request, read as if it had come over a wire: a program may have put anything into its fields."""
    try:
        raw = msgspec.json.encode(request)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise request_errors.not_json(str(error)) from None
    return decode_request(type(request), raw)


def decode_query(kind: type[T], pairs: Iterable[tuple[str, str]]) -> T:
    """The query that decoded `name=value` pairs hold. A list is a name repeated, as `include`, `include[]` or
    `include[0]`; a pair without a value is as good as none.
    """
    fields = _query_fields(kind)
    values: dict[str, Any] = {}
    for name, text in pairs:
        if not text or name in _ADDRESSING:
            continue
        field = _INDEX.sub("", name)
        if isinstance(fields.get(field), kinds.ListType):
            values.setdefault(field, []).append(text)
        else:
            values[name] = _plain(fields.get(name), text)
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        _explain(kind, values, error)


_INDEX = re.compile(r"\[[0-9]*\]$")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_ADDRESSING = frozenset({"api-version"})
"""Query parameters that address a deployment, not a resource: some clients add them to every call."""


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@cache
def _query_fields(kind: type[Struct]) -> dict[str, kinds.Type]:
    """The type of each parameter of a query; of an optional one, without the None."""
    return {name: options(field.type)[0] for name, field in fields_of(kind).items()}


def _plain(kind: kinds.Type | None, text: str) -> Any:
    """The value that a text stands for in a parameter of this kind; the text itself when it stands for none."""
    if isinstance(kind, kinds.IntType) and _INTEGER.fullmatch(text):
        return int(text)
    return text


def _parse(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise request_errors.not_json("it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise request_errors.not_json(str(error)) from None


def _explain(kind: type[Struct], value: Any, error: Exception) -> NoReturn:
    """Raise what is wrong with `value`; in the reader's own words if the walk finds nothing."""
    if not isinstance(value, dict):
        raise request_errors.not_an_object(value) from None
    raise_first_error(kind, value)
    raise BadRequest(f"Invalid request: {error}") from None
