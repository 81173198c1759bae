"""Server-sent events: frames encoded, and decoded from chunks of bytes. No IO."""

import re
from typing import NamedTuple

from runstead.wire.event import DONE, RawEvent

__all__ = ["DONE_FRAME", "PING", "Decoder", "Frame", "encode"]

DONE_FRAME = b"event: done\ndata: " + DONE + b"\n\n"
"""The last frame of a stream."""

PING = b": ping\n"
"""A comment that keeps a connection alive.

No blank line follows it: after an `id:` line some clients take a comment block for an empty event and fail.
"""


# The form of nearly all frames. Matching it is several times faster than reading line by line.
_USUAL = re.compile(rb"(?:id: (.*)\n)?event: (.+)\ndata: (.*)\n\n").match


class Frame(NamedTuple):
    """One event as it was received. `id` is None if the frame has none."""

    event: str
    data: bytes
    id: str | None


def encode(event: RawEvent) -> bytes:
    """The frame of an event. Its id is the event's position."""
    seq, delta = event.at
    at = b"%d.%d" % (seq, delta) if delta else b"%d" % seq
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (at, event.name.encode(), event.data)


class Decoder:
    """Decodes frames from a stream of bytes, however it is cut into chunks."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        buffer = self._buffer + chunk
        frames: list[Frame] = []
        at = 0
        usual = b"\r" not in buffer
        while usual and (found := _USUAL(buffer, at)):
            id, event, data = found.groups()
            frames.append(Frame(event.decode(), data, None if id is None else id.decode()))
            at = found.end()
        if at == len(buffer):
            self._buffer = b""
        else:
            frames += self._others(buffer[at:])
        return frames

    def _others(self, buffer: bytes) -> list[Frame]:
        """The complete frames of any form. The incomplete rest is kept."""
        # A lone CR at the end may be half of a CRLF.
        kept = b"\r" if buffer.endswith(b"\r") else b""
        lines = buffer.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *blocks, rest = lines.split(b"\n\n")
        self._buffer = rest + kept
        return [frame for block in blocks if (frame := _frame(block)) is not None]


def _frame(block: bytes) -> Frame | None:
    """The event of a block of lines; None if it has no data."""
    event = ""
    id: str | None = None
    data: bytes | None = None
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        if name == b"data":
            data = value if data is None else data + b"\n" + value
        elif name == b"event":
            event = value.decode()
        elif name == b"id":
            id = value.decode()
    return None if data is None else Frame(event or "message", data, id)
