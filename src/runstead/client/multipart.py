"""The parts of a multipart form as they are sent. No IO."""

from typing import Any

import msgspec

from runstead.wire.struct import Request

__all__ = ["closing", "field_parts", "file_head"]

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})
"""As browsers escape names."""


def field_parts(boundary: bytes, fields: Request) -> bytes:
    """The parts of all fields that are set. A list has a part for each item, an object one for each field."""
    return b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (boundary, _escaped(name), value)
        for name, value in _pairs(fields)
    )


def file_head(boundary: bytes, name: str, file_name: str, content_type: str | None) -> bytes:
    """The part headers before the content of a file, up to the blank line."""
    kind = b"Content-Type: %b\r\n" % content_type.encode("latin-1", "replace") if content_type else b""
    head = b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n'
    return head % (boundary, _escaped(name), _escaped(file_name)) + kind + b"\r\n"


def closing(boundary: bytes) -> bytes:
    """The end of the form."""
    return b"--%b--\r\n" % boundary


def _pairs(fields: Request) -> list[tuple[str, bytes]]:
    values: dict[str, Any] = msgspec.to_builtins(fields)
    return [(name, _text(item)) for field, value in values.items() for name, item in _named(field, value)]


def _named(name: str, value: Any) -> list[tuple[str, Any]]:
    """The values of a field, each with the name of its part."""
    if isinstance(value, dict):
        return [(f"{name}[{inner}]", item) for inner, item in value.items()]
    if isinstance(value, list):
        return [(f"{name}[]", item) for item in value]
    return [] if value is None else [(name, value)]


def _text(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else msgspec.json.encode(value)


def _escaped(name: str) -> bytes:
    return name.translate(_ESCAPES).encode()
