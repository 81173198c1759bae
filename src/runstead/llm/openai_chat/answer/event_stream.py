"""Splits the body of a streamed answer into its events. Each has one JSON document.

By the standard for event streams, lines end in LF, CR or both, and an event may have its data on several lines. Servers
differ from it, so this reads more: an event is read as soon as its data is a document, with or without the empty line
behind it, and a document may stand on a line of its own, without `data:`.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from runstead.llm.openai_chat.answer.answer_budget import FREE, AnswerBudget, AnswerShare
from runstead.model_server.json_document import MAX_BYTES, NotJSON, TooLarge, decode, decode_glued, decode_text

__all__ = ["DONE", "Event", "EventStream"]

DONE = "[DONE]"
_ENDS = frozenset({"DONE", "END"})
_BEFORE = b"\xef\xbb\xbf\x00\x1e \t"
"""Bytes that may stand before a line: a byte-order mark, a record separator, white space."""
_KEEP_ALIVE = re.compile(r":.*|ping|pong|keep[-_ ]?alive|heart[-_ ]?beat", re.IGNORECASE | re.DOTALL)
"""Data that only keeps the connection open."""

_MAX_LINES = 10_000
"""Lines of one event."""


class Event(NamedTuple):
    """One event: its name, empty for most, and its data."""

    name: str
    value: Any
    """The decoded document; None if the data is not JSON."""
    text: str = ""
    """The data that is not JSON, such as `[DONE]`."""
    reason: str = ""
    """Why the data is not JSON."""


class EventStream:
    """The events of one body, fed as it arrives. Bytes that wait for the end of their line or event are counted in
    `share`.
    """

    def __init__(self, *, max_line_bytes: int = MAX_BYTES + 2**10, share: AnswerShare | None = None) -> None:
        self._share = share or AnswerShare(AnswerBudget())
        self._granted = FREE
        self._max_line_bytes = max_line_bytes
        self._line: list[bytes] = []
        self._line_bytes = 0
        self._after_cr = False
        self._name = ""
        self._data: list[bytes] = []
        self._data_bytes = 0

    def feed(self, data: bytes, consume: Callable[[bytes], bool] = lambda _: False) -> Iterator[Event]:
        """The events that these bytes complete. Raises `TooLarge` if a line or a document is beyond its limit.

        `consume` is given the data of each event without a name. If it returns True, the event is not returned.
        """
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]
        self._after_cr = data[-1:] == b"\r"
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = data.split(b"\n")
        if lines and self._line:
            lines[0] = self._completed(lines[0])
        for line in lines:
            # This loop runs twice for every token.
            if not self._data and not self._name and (not line or (line[:5] == b"data:" and consume(line[5:]))):
                continue
            if (event := self._read(line)) is not None:
                yield event
        if rest:
            self._keep(rest)

    def end(self) -> Iterator[Event]:
        """The last events, at the end of the body."""
        for event in (self._read(self._completed(b"")), self._dispatch()):
            if event is not None:
                yield event

    def _keep(self, part: bytes) -> None:
        self._line.append(part)
        self._line_bytes += len(part)
        if self._line_bytes > self._max_line_bytes:
            raise TooLarge(f"sent a line of more than {self._max_line_bytes} bytes")
        self._count()

    def _completed(self, end: bytes) -> bytes:
        """The line that ends so."""
        if not self._line:
            return end
        self._keep(end)
        line = b"".join(self._line)
        self._line, self._line_bytes = [], 0
        return line

    def _read(self, line: bytes) -> Event | None:
        """The event that the line completes."""
        if line[:5] == b"data:":
            return self._add(line[5:])
        if not line:
            return self._dispatch()
        line = line.lstrip(_BEFORE)
        field, colon, data = line.partition(b":")
        name = field.strip().lower() if colon else b""
        if name == b"data":
            return self._add(data)
        if name == b"event":
            self._name = data.decode("utf-8", "replace").strip()
        elif name == b"error":
            return _event("error", data)
        elif line[:1] == b"{":
            return self._add(line)
        return None

    def _add(self, data: bytes) -> Event | None:
        """One line of data: a document, or a part of one that an empty line ends."""
        if not self._data:
            if not data.strip():
                return None
            while (begun := data.lstrip())[:5] == b"data:":
                data = begun[5:]
            event = _event(self._name, data)
            if event.reason and _KEEP_ALIVE.fullmatch(event.text):
                return None
            if not event.reason or event.text == DONE or event.text[:1] not in {"{", "["}:
                return event
        self._data.append(data)
        self._data_bytes += len(data) + 1
        if self._data_bytes > self._max_line_bytes or len(self._data) > _MAX_LINES:
            raise TooLarge(f"sent an event of more than {self._max_line_bytes} bytes or {_MAX_LINES} lines")
        self._count()
        return None

    def _count(self) -> None:
        if (waiting := self._line_bytes + self._data_bytes) > self._granted:
            self._granted = self._share.extend(self._granted, waiting)

    def _dispatch(self) -> Event | None:
        """An event ends here."""
        name, data = self._name, self._data
        if not data:
            self._name = ""
            return None
        self._name, self._data, self._data_bytes = "", [], 0
        return _event(name, b"\n".join(data))


def _event(name: str, data: bytes) -> Event:
    try:
        value = decode(data)
        if isinstance(value, str) and value.lstrip()[:1] == "{":
            value = decode_text(value)
        return Event(name, value)
    except NotJSON as error:
        reason = str(error)
    try:
        return Event(name, decode_glued(data))
    except NotJSON:
        text = data.decode("utf-8", "replace").strip()
        return Event(name, None, DONE if text.strip("[]<>").upper() in _ENDS else text, reason)
