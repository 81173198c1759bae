"""Events as messages: compact, and none larger than a server takes."""

from collections.abc import Iterator, Sequence

import msgspec

from runstead.wire.event import RawEvent

__all__ = ["pack", "since_stored", "unpack"]

_MOST = 512 * 1024
"""Bytes of a message; servers refuse more than a megabyte."""
_FRAME = 64
"""Bytes that an event takes besides its data."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[RawEvent]).decode


def pack(events: Sequence[RawEvent]) -> Iterator[tuple[bytes, bool]]:
    """The messages for these events, and of each whether what was kept before it is of no more use.

    An event too large for a message becomes an empty one: something was dropped, look in the store.
    """
    chunk: list[RawEvent] = []
    size = 0
    for event in events:
        length = len(event.data) + _FRAME
        if chunk and size + length > _MOST:
            yield _encode(chunk), _stored(chunk)
            chunk, size = [], 0
        if length > _MOST:
            yield _encode([]), True
        else:
            chunk.append(event)
            size += length
    if chunk:
        yield _encode(chunk), _stored(chunk)


def unpack(data: bytes) -> list[RawEvent]:
    """The events of a message; none when some were dropped, or are of a kind that only newer code knows."""
    try:
        return _decode(data)
    except msgspec.MsgspecError:
        return []


def since_stored(events: Sequence[RawEvent]) -> list[RawEvent]:
    """The deltas behind the last stored event, in whatever order they were told."""
    last = max((event.at.seq for event in events), default=0)
    return [event for event in events if event.at.delta and event.at.seq == last]


def _stored(events: Sequence[RawEvent]) -> bool:
    return any(not event.at.delta for event in events)
