"""Server-sent events: frames encoded, and decoded from chunks of bytes. No IO."""

import re
from typing import NamedTuple

from runstead.wire.error import ServerError
from runstead.wire.event import DONE, RawEvent

__all__ = ["DONE_FRAME", "MAX_FRAME", "PING", "Decoder", "Frame", "encode"]

DONE_FRAME = b"event: done\ndata: " + DONE + b"\n\n"
"""The last frame of a stream."""

PING = b": ping\n"
"""A comment that keeps a connection alive.

No blank line follows it: after an `id:` line some clients take a comment block for an empty event and fail.
"""


MAX_FRAME = 64 * 2**20
"""Bytes of one event that a decoder accepts by default."""

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
    """Decodes frames from a stream of bytes, however it is cut into chunks, in time linear in their number.

    `ServerError` if a line, or the data of an event, has more than `max_frame` bytes.
    """

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._max_frame = max_frame
        self._line = bytearray()
        """The line that is not complete."""
        self._block = _Block()
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes."""
        if self._after_cr or b"\r" in chunk:
            chunk = self._with_newlines(chunk)
        frames: list[Frame] = []
        at, end = 0, len(chunk)
        while at < end:
            if not self._line and self._block.empty and end <= self._max_frame:
                at = _read_usual(chunk, at, frames)
            if at < end:
                blank = chunk.find(b"\n\n", at)
                stop = end if blank < 0 else blank + 2
                self._read_lines(chunk[at:stop], frames)
                at = stop
        return frames

    def _with_newlines(self, chunk: bytes) -> bytes:
        """The chunk with every line end as LF. A CRLF may be cut between two chunks."""
        text = chunk.removeprefix(b"\n") if self._after_cr else chunk
        self._after_cr = chunk.endswith(b"\r") or (self._after_cr and not chunk)
        return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _read_lines(self, chunk: bytes, frames: list[Frame]) -> None:
        """Read line by line, and add the frames that are complete."""
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if self._line:
                self._line += line
                line = bytes(self._line)
                self._line.clear()
            if line:
                self._block.read(line)
            else:
                frames += self._block.frames()
                self._block = _Block()
            if max(len(line), self._block.size) > self._max_frame:
                raise self._too_long()
        self._line += rest
        if len(self._line) > self._max_frame:
            raise self._too_long()

    def _too_long(self) -> ServerError:
        return ServerError(f"The server sent an event of more than {self._max_frame:,} bytes.")


def _read_usual(chunk: bytes, at: int, frames: list[Frame]) -> int:
    """Add the frames of the usual form from `at` on, and return where they end."""
    while found := _USUAL(chunk, at):
        id, event, data = found.groups()
        try:
            frames.append(Frame(event.decode(), data, None if id is None else id.decode()))
        except UnicodeDecodeError:
            break
        at = found.end()
    return at


class _Block:
    """The fields of an event that is not complete."""

    def __init__(self) -> None:
        self._event = ""
        self._id: str | None = None
        self._data: list[bytes] = []
        self.size = 0
        """Bytes of the data so far."""
        self.empty = True
        """No field was read since the last event."""

    def read(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        match name:
            case b"data":
                self._data.append(value)
                self.size += len(value) + 1
            case b"event":
                self._event = value.decode("utf-8", "replace")
            case b"id":
                self._id = value.decode("utf-8", "replace")
            case _:
                return  # a comment, or a field of another use
        self.empty = False

    def frames(self) -> list[Frame]:
        """The event, when the blank line after it was read; nothing if it has no data."""
        return [Frame(self._event or "message", b"\n".join(self._data), self._id)] if self._data else []
