"""The shape of JSON text: how deeply it is nested, and how many values it has. Checked on bytes, without decoding them.

A decoder recurses with the text's nesting, and holds the interpreter lock until it has read all values. So both are
limited before text of another program is decoded. The depth is far below the interpreter's limit of recursion: a value
that was accepted can be decoded and encoded inside other values later, at any depth of the stack.
"""

import re

__all__ = ["MAX_DEPTH", "MAX_VALUES", "ShapeError", "check_shape", "count_separators"]

MAX_DEPTH = 128
"""Arrays and objects inside each other, at most."""
MAX_VALUES = 50_000
"""Values of one text, at most: the members of all arrays and objects. To decode them takes 10 ms."""

_MAX_DIGITS = 308
"""Digits of a number, about as many as a float has. The time to read an integer grows with the square of its length."""
_EXPONENTS = 500
"""One number in so many values may have an exponent of three digits: it takes as long to read as two hundred others."""
_EXPONENT = re.compile(rb"[eE][+-]?[0-9]{3}")
_TOO_LONG = b"0" * (_MAX_DIGITS + 1)
_DIGITS_AS_ZEROS = bytes(ord("0") if chr(byte) in "0123456789" else ord(" ") for byte in range(256))
_SMALL = 64 * 1024
"""Bytes of text that is probably within the limits: they are counted before the text is read."""
_PORTION = 256 * 1024
"""Bytes that are read at once. Other threads can take the interpreter lock between two portions."""
_OPENING = frozenset(b"[{")
_NOT_STRUCTURE = bytes(set(range(256)) - set(b"[]{},"))


class ShapeError(ValueError):
    """The text is nested too deeply or too large. The message is a clause without its full stop."""


def check_shape(raw: bytes, *, max_depth: int = MAX_DEPTH, max_values: int = MAX_VALUES) -> None:
    """Raise `ShapeError` if JSON text is nested deeper than `max_depth`, or has too many values or too long a number.

    If the text is not JSON, only this is certain: a decoder meets its error within these limits.
    """
    if len(raw) <= _SMALL:
        # Those inside strings are counted too here, so this accepts nothing that is too deep or too large.
        opening = raw.count(b"[") + raw.count(b"{")
        exponents = raw.count(b"e") + raw.count(b"E")
        within = (
            opening <= max_depth and opening + raw.count(b",") < max_values and exponents <= max_values // _EXPONENTS
        )
        if within and not _has_long_number(raw):
            return
    structure = _Structure(max_depth, max_values)
    start = 0
    while start < len(raw):
        stop = _end_of_portion(raw, start)
        structure.read(raw[start:stop])
        start = stop


def count_separators(raw: bytes) -> int:
    """The commas of whole JSON text that separate values. Those inside strings are not counted."""
    return _outside_strings(_without_escapes(raw)).count(b",")


def _has_long_number(text: bytes) -> bool:
    return len(text) > _MAX_DIGITS and _TOO_LONG in text.translate(_DIGITS_AS_ZEROS)


def _end_of_portion(raw: bytes, start: int) -> int:
    """Where the portion from `start` on ends: not inside an escape sequence."""
    portion = raw[start : start + _PORTION]
    backslashes = len(portion) - len(portion.rstrip(b"\\"))
    return start + len(portion) + backslashes % 2


def _without_escapes(text: bytes) -> bytes:
    """The text without the escape sequences that matter for where a string ends."""
    return text.replace(b"\\\\", b"").replace(b'\\"', b"")


def _outside_strings(plain: bytes, *, in_string: bool = False) -> bytes:
    """The bytes outside of strings, in text without escape sequences. It may begin `in_string`."""
    return b"".join(plain.split(b'"')[int(in_string) :: 2])


class _Structure:
    """Reads text portion by portion, and looks at its brackets, commas and numbers outside of strings."""

    def __init__(self, max_depth: int, max_values: int) -> None:
        self._max_depth = max_depth
        self._max_values = max_values
        self._max_exponents = max_values // _EXPONENTS
        self._in_string = False
        self._depth = 0
        self._values = 1
        self._exponents = 0

    def read(self, portion: bytes) -> None:
        plain = _without_escapes(portion)
        quotes = plain.count(b'"')
        if quotes > 4 * self._max_values:  # each value has two strings at most, its name and itself
            raise self._too_many()
        outside = _outside_strings(plain, in_string=self._in_string)
        self._in_string ^= bool(quotes % 2)
        if _has_long_number(outside):
            raise ShapeError(f"it has a number of more than {_MAX_DIGITS} digits")
        self._exponents += len(_EXPONENT.findall(outside))
        if self._exponents > self._max_exponents:
            raise ShapeError(f"it has more than {self._max_exponents} numbers with exponents of three digits")
        structure = outside.translate(None, _NOT_STRUCTURE)
        self._values += structure.count(b",") + structure.count(b"[") + structure.count(b"{")
        if self._values > self._max_values:
            raise self._too_many()
        self._nest(structure.replace(b",", b""))

    def _nest(self, brackets: bytes) -> None:
        depth = self._depth
        for bracket in brackets:
            if bracket in _OPENING:
                depth += 1
                if depth > self._max_depth:
                    raise ShapeError(f"it is nested more than {self._max_depth} levels deep")
            else:
                depth -= 1
        self._depth = depth

    def _too_many(self) -> ShapeError:
        return ShapeError(f"it has more than {self._max_values:,} values")
