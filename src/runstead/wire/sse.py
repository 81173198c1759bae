"""Server-sent events, as text on a connection: frames out, frames in. No IO."""

from typing import NamedTuple

from runstead.wire.event import DONE, RawEvent

__all__ = ["DONE_FRAME", "PING", "Decoder", "Frame", "encode"]

DONE_FRAME = b"event: done\ndata: " + DONE + b"\n\n"
"""The end of a stream."""

PING = b": ping\n"
"""A comment that keeps a connection alive.

It has no blank line behind it: after an `id:` line some clients take a comment block for an empty event and fail.
"""


class Frame(NamedTuple):
    """One event off the wire. `id` is None when the frame has none."""

    event: str
    data: bytes
    id: str | None


def encode(event: RawEvent) -> bytes:
    """The frame of an event, with its position as the id."""
    seq, delta = event.at
    at = b"%d.%d" % (seq, delta) if delta else b"%d" % seq
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (at, event.name.encode(), event.data)


class Decoder:
    """Turns bytes, cut anywhere, into frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        buffer = self._buffer + chunk
        if b"\r" in buffer:
            # A lone CR at the end may be half of a CRLF.
            held = b"\r" if buffer.endswith(b"\r") else b""
            buffer = buffer.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        else:
            held = b""
        *blocks, rest = buffer.split(b"\n\n")
        self._buffer = rest + held
        frames: list[Frame] = []
        for block in blocks:
            frame = _frame(block)
            if frame is not None:
                frames.append(frame)
        return frames


def _frame(block: bytes) -> Frame | None:
    """The event of a block of lines; None when it carries no data."""
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
