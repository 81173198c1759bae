"""Strict decoding of requests: bodies and queries.

A valid request costs one typed decode. Only if that fails, the JSON is decoded again without a type: to read nulls as
absent fields, or else to validate it step by step and find the first error. The shape of the JSON is limited first
(`json_shape`), so the time of both is bounded.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import Struct
from msgspec import inspect as kinds

from runstead.wire.codec import request_errors
from runstead.wire.codec.introspect import fields_of, options, type_of
from runstead.wire.codec.json_shape import ShapeError, check_shape
from runstead.wire.codec.nulls import drop_nulls
from runstead.wire.codec.validation import raise_first_error

__all__ = ["decode_query", "decode_request", "validate"]

T = TypeVar("T", bound=Struct)


def decode_request(kind: type[T], raw: bytes) -> T:
    """The request in a body; `BadRequest` with its first error.

    An empty body and `null` are `{}`, and so is `[]`: PHP writes an empty array so.
    """
    try:
        check_shape(raw)
        request: T = _decoder(kind).decode(raw)
    except ShapeError as error:
        raise request_errors.not_json(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        stripped = raw.strip()
        if stripped in {b"", b"null", b"[]"}:
            return decode_request(kind, b"{}")
        if b"null" in raw:
            value = _parse(raw)
            if drop_nulls(type_of(kind), value):
                return _convert(kind, value)
        unknown = _UNKNOWN_FIELD.fullmatch(str(error))
        if unknown is not None and len(raw) > _SMALL:
            raise request_errors.unknown(unknown[1]) from None
        _raise_error(kind, _parse(raw), error)
    return request


def validate(request: T) -> T:
    """The request as a server would decode it; `BadRequest` with its first error. Constructors check no values."""
    try:
        raw = msgspec.json.encode(request)
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise request_errors.not_json(str(error)) from None
    return decode_request(type(request), raw)


def decode_query(kind: type[T], pairs: Iterable[tuple[str, str]]) -> T:
    """The query in decoded `name=value` pairs; `BadRequest` with its first error.

    A list is a repeated name: `include`, `include[]` or `include[0]`. A field of an object is `expires_after[seconds]`.
    Pairs with an empty value are ignored.
    """
    fields = _query_fields(kind)
    values: dict[str, Any] = {}
    for name, text in pairs:
        if not text or name in _ADDRESSING:
            continue
        field = _INDEX.sub("", name)
        if isinstance(fields.get(field), kinds.ListType):
            values.setdefault(field, []).append(text)
        elif (inner := _FIELD.fullmatch(name)) and isinstance(struct := fields.get(inner[1]), kinds.StructType):
            value = values.setdefault(inner[1], {})
            if isinstance(value, dict):  # else the object was sent as a text, which is refused below
                value[inner[2]] = _value_of(_query_fields(struct.cls).get(inner[2]), text)
        else:
            values[name] = _value_of(fields.get(name), text)
    return _convert(kind, values)


_UNKNOWN_FIELD = re.compile(r"Object contains unknown field `([^`]*)`")
"""The decoder's error for an unknown field of the request itself. Inside other objects it ends with a path."""
_SMALL = 64 * 1024
"""Bytes up to which the whole body is decoded again for an unknown field: it may not even be JSON."""
_INDEX = re.compile(r"\[[0-9]*\]$")
_FIELD = re.compile(r"(\w+)\[(\w+)\]", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_ADDRESSING = frozenset({"api-version"})
"""Query parameters that are ignored: some clients address a deployment with them in every call."""


@cache
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@cache
def _query_fields(kind: type[Struct]) -> dict[str, kinds.Type]:
    """The type of each parameter of a query, without None."""
    return {name: options(field.type)[0] for name, field in fields_of(kind).items()}


def _value_of(kind: kinds.Type | None, text: str) -> Any:
    """The value of a parameter of this type; the text itself if it cannot be converted."""
    if isinstance(kind, kinds.IntType) and _INTEGER.fullmatch(text):
        return int(text)
    return text


def _convert(kind: type[T], value: dict[str, Any]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        _raise_error(kind, value, error)


def _parse(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise request_errors.not_json("it is nested too deeply") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise request_errors.not_json(str(error)) from None


def _raise_error(kind: type[Struct], value: Any, error: Exception) -> NoReturn:
    """Raise the first error in `value`; with the decoder's message if the validation finds none."""
    if not isinstance(value, dict):
        raise request_errors.not_an_object(value) from None
    raise_first_error(kind, value)
    raise request_errors.refused(str(error)) from None
