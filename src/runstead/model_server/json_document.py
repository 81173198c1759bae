"""Decodes JSON of a model server: bounded in size, and lenient about characters.

msgspec reads nearly every document. The standard library reads the rest: halves of a character, `NaN`, and control
characters inside strings.
"""

import json
import re
from contextlib import suppress
from typing import Any

import msgspec

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_VALUES",
    "NotJSON",
    "TooLarge",
    "check_depth",
    "decode",
    "decode_glued",
    "decode_text",
]

MAX_BYTES = 8 * 2**20
"""The size of a document. One document may have all arguments of a call, and no model writes more than this."""
MAX_VALUES = 2**16
"""Values in a document. An answer with as many would be longer than any model writes."""
MAX_DEPTH = 128
"""Levels of nesting in a document. What is kept of it is read again by code with limits of its own."""

_SMALL = 2**16
"""Bytes up to which the number of values is not worth counting."""

_MAX_GLUED = 2**16
"""Characters of documents that are not separated."""
_BETWEEN = re.compile(r"(?:\s|,|data:|(?:\\r|\\n)|\[DONE\])*")
"""Separators of documents."""

_decoder = json.JSONDecoder(strict=False)
_read = msgspec.json.Decoder().decode


class NotJSON(ValueError):
    """The bytes are not JSON; the message says why."""


class TooLarge(ValueError):
    """The document is beyond a limit; the message completes the sentence "The model server 'x' …"."""


def decode(data: bytes) -> Any:
    """The document. Its texts may have lone surrogates: halves of a character that another document completes.

    Raises `NotJSON`, or `TooLarge` if the document is beyond a limit.
    """
    if len(data) > _SMALL:
        _check_size(data)
    try:
        value = _read(data)
    except RecursionError:
        raise _too_deep() from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        value = _read_leniently(data, str(error))
    # The document of one token is too small to be nested so deeply.
    if len(data) > 2 * MAX_DEPTH and data.count(b"{") + data.count(b"[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise _too_deep()
    return value


def decode_glued(data: bytes) -> list[Any]:
    """Several documents without a line end between them. Some proxies lose it, with `data:` or without.

    Raises `NotJSON` or `TooLarge`.
    """
    text = data.decode("utf-8", "surrogateescape").strip()
    if text[:1] != "{" or len(text) > _MAX_GLUED:
        raise NotJSON("it is no document")
    documents: list[Any] = []
    place = 0
    try:
        while place < len(text):
            document, end = _decoder.raw_decode(text, place)
            documents.append(document)
            between = _BETWEEN.match(text, end)
            place = between.end() if between else end
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise NotJSON(str(error)) from None
    if _is_deeper(documents, MAX_DEPTH):
        raise _too_deep()
    return documents


def decode_text(text: str) -> Any:
    """The document in a text that a model wrote. Raises `NotJSON` or `TooLarge`."""
    return decode(text.encode("utf-8", "replace"))


def check_depth(text: str) -> None:
    """Raise `TooLarge` if a text is a document that is nested too deeply."""
    if text.count("{") + text.count("[") > MAX_DEPTH:
        with suppress(NotJSON):
            decode_text(text)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise TooLarge(f"sent more than {MAX_BYTES} bytes in one JSON document")
    # A value stands at the beginning of the document, or behind one of these. Those inside a text count too.
    values = 0
    for before in (b",", b"[", b"{"):
        values += data.count(before)
        if values >= MAX_VALUES:
            raise TooLarge(f"sent a JSON document of more than {MAX_VALUES} values")


def _read_leniently(data: bytes, reason: str) -> Any:
    try:
        return json.loads(data.decode("utf-8", "surrogateescape"), strict=False)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise NotJSON(reason) from None


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether a document has more levels of arrays and objects."""
    level = [value]
    for _ in range(levels + 1):
        level = [child for each in level if isinstance(each, dict | list) for child in _children(each)]
        if not level:
            return False
    return True


def _children(container: dict[str, Any] | list[Any]) -> list[Any]:
    values = container.values() if isinstance(container, dict) else container
    return [value for value in values if isinstance(value, dict | list)]


def _too_deep() -> TooLarge:
    return TooLarge(f"sent JSON that is nested more than {MAX_DEPTH} levels deep")
