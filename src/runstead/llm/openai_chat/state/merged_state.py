"""Joins the pieces of objects with unknown fields: state that a model server needs again.

A text of thinking continues the one before; an array is extended; any other value replaces the one before.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["MIN_REPEATED", "MergedList", "MergedObject", "is_continued"]

MIN_REPEATED = 16
"""Characters of a text that is recognised when a server sends it twice. Models do repeat short words."""

_CONTINUED = re.compile(
    r"text|summary|.*(?:reasoning|thinking|thought)(?!.*(?:signature|opaque|encrypted|_id|format|type|tokens|effort)).*"
)


_MAX_MERGED = 1_000
"""Fields of an object, or elements of an array. Those of a larger one are kept, but not continued."""
_VALUE = 64
"""Characters that a value counts as."""


def is_continued(name: str) -> bool:
    """Whether a text of this name is thinking, which arrives in pieces."""
    return _CONTINUED.fullmatch(name) is not None


class MergedObject:
    """One object. Its texts are joined at the end, so that each piece costs the same."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        """The fields in their order: texts as lists of pieces, objects and arrays as merged ones."""

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
        in_pieces = any(isinstance(field, _Texts | MergedList) for field in self._fields.values())
        return one and in_pieces and (known is None or given is None or known == given)

    def _add(self, name: str, value: Any) -> int:
        field = self._fields.get(name)
        match value:
            case str() if is_continued(name):
                field = field if isinstance(field, _Texts) else _Texts()
                size = field.add(value)
            case dict() if len(value) <= _MAX_MERGED:
                field = field if isinstance(field, MergedObject) else MergedObject()
                size = field.add(value)
            case list():
                field = field if isinstance(field, MergedList) else MergedList()
                size = field.add(value)
            case _:
                field, size = value, _size(value) if value else 0
        if value and name not in self._fields:
            size += len(name)
        self._fields[name] = field
        return size


class MergedList:
    """An array. An element may continue the last one."""

    def __init__(self) -> None:
        self._items: list[Any] = []

    def add(self, items: Sequence[Any]) -> int:
        """Take over more elements. Returns the characters that they have, about."""
        if len(items) > _MAX_MERGED:
            self._items += items
            return _size(items)
        return sum(map(self._add, items))

    def value(self) -> list[Any]:
        """The array so far."""
        return [_value(item) for item in self._items]

    def _add(self, item: Any) -> int:
        if not isinstance(item, dict):
            self._items.append(item)
            return _size(item)
        last = self._items[-1] if self._items else None
        if not isinstance(last, MergedObject) or not last.continues(item):
            last = MergedObject()
            self._items.append(last)
            return _VALUE + last.add(item)
        return last.add(item)


def _size(value: Any) -> int:
    """The characters of a value, about. Each value in it counts more than it has, because it takes time and memory."""
    if isinstance(value, str):
        return len(value)
    text = str(value)
    return len(text) + _VALUE * (text.count(",") + text.count("[") + text.count("{"))


class _Texts(list[str]):
    """The pieces of a text."""

    _length = 0

    def add(self, text: str) -> int:
        """Take over a piece, unless it is the whole text once more. Returns the characters that it has."""
        whole = len(text) == self._length >= MIN_REPEATED and len(self) > 1
        if whole and text == "".join(self):
            return 0
        self.append(text)
        self._length += len(text)
        return len(text)


def _value(field: Any) -> Any:
    if isinstance(field, _Texts):
        return "".join(field)
    return field.value() if isinstance(field, MergedObject | MergedList) else field
