"""How deeply the JSON of a response is nested. No IO.

A value that is nested too deeply could not be encoded, printed or compared later, where the stack is deep already.
"""

from functools import cache
from typing import Any, get_args

import msgspec

from runstead.wire.codec import json_shape

__all__ = ["MAX_NESTING", "MAX_UNCHECKED", "check_nesting"]

MAX_NESTING = json_shape.MAX_DEPTH + 16
"""Arrays and objects inside each other: those of a request that a server accepts, inside the objects of a list."""

MAX_UNCHECKED = 2 * MAX_NESTING
"""Bytes of JSON that cannot be nested too deeply: each level takes two."""

_MAX_VALUES = 10_000_000


def check_nesting(kind: Any, raw: bytes) -> None:
    """Raise `json_shape.ShapeError` if JSON for a value of this type is nested too deeply."""
    # Nearly all responses have fewer brackets, or no field that keeps JSON of any shape.
    few = len(raw) <= MAX_UNCHECKED or raw.count(b"{") + raw.count(b"[") <= MAX_NESTING
    if not few and _keeps_any_json(kind):
        json_shape.check_shape(raw, max_depth=MAX_NESTING, max_values=_MAX_VALUES)


@cache
def _keeps_any_json(kind: Any) -> bool:
    """Values of the type have parts of type `Any`, which may be nested at will."""
    if kind is Any or kind is msgspec.Raw:
        return True
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return any(_keeps_any_json(field.type) for field in msgspec.structs.fields(kind))
    return any(_keeps_any_json(part) for part in get_args(kind))
