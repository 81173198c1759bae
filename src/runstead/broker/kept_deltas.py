"""The deltas of a message that is being written, kept for subscribers that come late.

The deltas of one message differ by a few characters, so they are compressed in chunks: a long answer takes about twice
the bytes of its text, not sixty times. A chunk is unpacked when a subscriber reads it.
"""

import zlib
from collections.abc import Iterable, Sequence

import msgspec

from runstead.wire.event import EventName, Position, RawEvent

__all__ = ["KeptBatch", "KeptDeltas"]

_CHUNK = 64
"""Deltas in a chunk. Fewer are kept as they are."""
_LEVEL = 1
"""zlib's fastest level. Deltas repeat one another so much that a higher one saves little."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[int, int, EventName, bytes]]).decode


class KeptBatch:
    """Some deltas that follow each other."""

    __slots__ = ("_packed",)

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    @classmethod
    def pack(cls, events: Sequence[RawEvent]) -> "KeptBatch":
        """Compress the events."""
        rows = [(event.at.seq, event.at.delta, event.name, event.data) for event in events]
        return cls(zlib.compress(_encode(rows), _LEVEL))

    def unpack(self) -> list[RawEvent]:
        """The events, as they were."""
        rows = _decode(zlib.decompress(self._packed))
        return [RawEvent(Position(seq, delta), name, data) for seq, delta, name, data in rows]


class KeptDeltas:
    """A list of deltas that takes little memory."""

    __slots__ = ("_chunks", "_newest")

    def __init__(self) -> None:
        self._chunks: list[KeptBatch] = []
        self._newest: list[RawEvent] = []

    def __bool__(self) -> bool:
        return bool(self._newest or self._chunks)

    def extend(self, deltas: Iterable[RawEvent]) -> None:
        """Append deltas."""
        self._newest.extend(deltas)
        while len(self._newest) >= _CHUNK:
            self._chunks.append(KeptBatch.pack(self._newest[:_CHUNK]))
            self._newest = self._newest[_CHUNK:]

    def clear(self) -> None:
        """Remove all deltas."""
        self._chunks.clear()
        self._newest.clear()

    def batches(self) -> list[KeptBatch | list[RawEvent]]:
        """All deltas so far, in order. Later changes do not affect the list."""
        return [*self._chunks, *([self._newest.copy()] if self._newest else [])]
