"""Objects that arrive in pieces, whose fields nobody here knows: state that a server wants to see again.

A text of thinking continues the one before; an array is extended; any other value replaces the one before.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["GrowingList", "GrowingObject", "is_continued"]

_CONTINUED = re.compile(
    r"text|summary|.*(?:reasoning|thinking|thought)(?!.*(?:signature|_id|format|type|tokens|effort)).*"
)


def is_continued(name: str) -> bool:
    """Whether a text of this name is thinking, which arrives in pieces."""
    return _CONTINUED.fullmatch(name) is not None


class GrowingObject:
    """One object. Its texts are joined at the end, so that each piece costs the same."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        """The fields in their order: texts as lists of pieces, objects and arrays as growing ones."""

    def add(self, fields: Mapping[str, Any]) -> int:
        """Take over a piece of the object. Returns the characters that it has, about."""
        return sum(self._add(name, value) for name, value in fields.items() if value is not None)

    def value(self) -> dict[str, Any]:
        """The object so far."""
        return {name: _value(field) for name, field in self._fields.items()}

    def continues(self, piece: Mapping[str, Any]) -> bool:
        """Whether a piece belongs to this object, and does not begin another one of the same array."""
        known, given = self._fields.get("id"), piece.get("id")
        one = all(self._fields.get(name) == piece.get(name) for name in ("type", "index"))
        in_pieces = any(isinstance(field, _Texts | GrowingList) for field in self._fields.values())
        return one and in_pieces and (known is None or given is None or known == given)

    def _add(self, name: str, value: Any) -> int:
        field = self._fields.get(name)
        match value:
            case str() if is_continued(name):
                field = field if isinstance(field, _Texts) else _Texts()
                field.append(value)
                size = len(value)
            case dict():
                field = field if isinstance(field, GrowingObject) else GrowingObject()
                size = field.add(value)
            case list():
                field = field if isinstance(field, GrowingList) else GrowingList()
                size = field.add(value)
            case _:
                field, size = value, len(str(value)) if value else 0
        if value and name not in self._fields:
            size += len(name)
        self._fields[name] = field
        return size


class GrowingList:
    """An array. An element may continue the last one."""

    def __init__(self) -> None:
        self._items: list[Any] = []

    def add(self, items: Sequence[Any]) -> int:
        """Take over more elements. Returns the characters that they have, about."""
        return sum(map(self._add, items))

    def value(self) -> list[Any]:
        """The array so far."""
        return [_value(item) for item in self._items]

    def _add(self, item: Any) -> int:
        if not isinstance(item, dict):
            self._items.append(item)
            return len(str(item))
        last = self._items[-1] if self._items else None
        if not isinstance(last, GrowingObject) or not last.continues(item):
            last = GrowingObject()
            self._items.append(last)
        return last.add(item)


class _Texts(list[str]):
    """The pieces of a text."""


def _value(field: Any) -> Any:
    if isinstance(field, _Texts):
        return "".join(field)
    return field.value() if isinstance(field, GrowingObject | GrowingList) else field
