"""Coerces fields of decoded JSON to the wanted types. A value that cannot be coerced counts as absent."""

import math
from typing import Any

from runstead.model_server.split_characters import repaired

__all__ = ["as_list", "as_number", "as_object", "as_objects", "as_text", "raw_text"]


def as_object(value: Any) -> dict[str, Any]:
    """The value if it is an object; else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The elements of an array. An object counts as an array of one element."""
    if isinstance(value, list):
        return value
    return [value] if isinstance(value, dict) else []


def as_objects(value: Any) -> list[dict[str, Any]]:
    """The objects of an array, or the one object."""
    return [each for each in as_list(value) if isinstance(each, dict)]


def raw_text(value: Any) -> str:
    """The value as text, if it is a text or a number; it may have lone surrogates."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_text(value: Any) -> str:
    """The value as well-formed text, if it is a text or a number."""
    return repaired(raw_text(value))


def as_number(value: Any) -> int | None:
    """The value as a whole number, if it is a number or the digits of one."""
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return math.ceil(value)
