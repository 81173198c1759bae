"""The `body` of a row: an object as JSON, which other versions read and write too.

Fields of a newer version are left out when an object is read, at any depth, and are put in again when the object is
written back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from runstead.store.port import Unknown
from runstead.wire.codec.response import decode_lenient

__all__ = ["Body", "encode", "unknown_in", "with_unknown"]

encode = msgspec.json.Encoder().encode

_parse = msgspec.json.Decoder().decode

T = TypeVar("T")


class Body(Generic[T]):
    """The bodies of one kind of object."""

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._decode = msgspec.json.Decoder(kind).decode

    def decode(self, stored: bytes) -> T:
        """The object, without the fields that this version does not know."""
        try:
            return self._decode(stored)
        except msgspec.ValidationError:
            return decode_lenient(self._kind, stored)

    def encode(self, item: T) -> bytes:
        return encode(item)


def unknown_in(stored: bytes, known: bytes) -> Unknown | None:
    """The fields that a stored body has beyond `known`, the same as this version writes it; None if there are none."""
    return None if known == stored else Unknown(_parse(stored), _parse(known))


def with_unknown(body: bytes, unknown: Unknown | None) -> bytes:
    """A body to be written back, with the fields that were unknown when it was read."""
    return body if unknown is None else encode(_merged(unknown.stored, unknown.known, _parse(body)))


def _merged(stored: Any, known: Any, after: Any) -> Any:
    """`after` with what `stored` has beyond `known`, which is the same value as this version wrote it before."""
    if isinstance(stored, dict) and isinstance(known, dict) and isinstance(after, dict):
        return _merged_object(stored, known, after)
    if isinstance(stored, list) and isinstance(known, list) and isinstance(after, list):
        return _merged_list(stored, known, after)
    return after


def _merged_object(stored: Mapping[str, Any], known: Mapping[str, Any], after: Mapping[str, Any]) -> Mapping[str, Any]:
    if known.get("type") != after.get("type") or known.get("id") != after.get("id"):
        return after  # another object stands in its place
    merged = dict(after)
    for name, value in stored.items():
        if name not in known:
            merged.setdefault(name, value)
        elif name in after:
            merged[name] = _merged(value, known[name], after[name])
    return merged


def _merged_list(stored: Sequence[Any], known: Sequence[Any], after: Sequence[Any]) -> Sequence[Any]:
    """An item keeps its unknown fields if it is one that was there: by its id, or else by its value or its place."""
    if len(stored) != len(known):
        return after
    places = {item["id"]: place for place, item in enumerate(known) if isinstance(item, dict) and "id" in item}
    left = list(range(len(known)))
    merged: list[Any] = []
    for place, item in enumerate(after):
        found = _place_of(item, place, known, places, left)
        if found is None:
            merged.append(item)
        else:
            left.remove(found)
            merged.append(_merged(stored[found], known[found], item))
    return merged


def _place_of(
    item: Any, place: int, known: Sequence[Any], places: Mapping[str, int], left: Sequence[int]
) -> int | None:
    if isinstance(item, dict) and item.get("id") in places:
        found = places[item["id"]]
        return found if found in left else None
    for candidate in left:
        if known[candidate] == item:
            return candidate
    same_size = place in left and isinstance(item, dict) and "id" not in item
    return place if same_size and isinstance(known[place], dict) and "id" not in known[place] else None
