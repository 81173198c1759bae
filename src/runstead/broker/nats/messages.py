"""Messages from and to a server. Events are packed into messages below the servers' limit."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import msgspec

from runstead.wire.event import RawEvent

__all__ = ["Handler", "Mailbox", "Message", "pack", "since_stored", "unpack"]

_MAX_SIZE = 512 * 1024
"""Bytes of a message; servers refuse more than a megabyte."""
_OVERHEAD = 64
"""Bytes that an event takes besides its data."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[RawEvent]).decode


class Message(NamedTuple):
    """A message from a server. An answer without data has a status instead, such as 404, 408 or 503."""

    subject: str
    data: bytes
    reply: str
    status: str
    headers: dict[str, str]


Handler: TypeAlias = Callable[[Message], None]


class Mailbox:
    """Receives the answers to one request."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.messages: asyncio.Queue[Message] = asyncio.Queue()


def pack(events: Sequence[RawEvent]) -> Iterator[tuple[bytes, bool]]:
    """The messages for these events, each with whether the deltas kept before it are obsolete.

    An event too large for a message becomes an empty message: its receivers read the store.
    """
    chunk: list[RawEvent] = []
    size = 0
    for event in events:
        length = len(event.data) + _OVERHEAD
        if chunk and size + length > _MAX_SIZE:
            yield _encode(chunk), _has_stored(chunk)
            chunk, size = [], 0
        if length > _MAX_SIZE:
            yield _encode([]), True
        else:
            chunk.append(event)
            size += length
    if chunk:
        yield _encode(chunk), _has_stored(chunk)


def unpack(data: bytes) -> list[RawEvent]:
    """The events of a message. None if an event was too large, or only a newer version can decode them."""
    try:
        return _decode(data)
    except msgspec.MsgspecError:
        return []


def since_stored(events: Sequence[RawEvent]) -> list[RawEvent]:
    """The deltas after the last stored event, whatever order the events arrived in."""
    last = max((event.at.seq for event in events), default=0)
    return [event for event in events if event.at.delta and event.at.seq == last]


def _has_stored(events: Sequence[RawEvent]) -> bool:
    return any(not event.at.delta for event in events)
