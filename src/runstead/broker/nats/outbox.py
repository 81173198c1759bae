"""Outgoing messages: those that wait, their pace, and those that may have to be sent again.

Sending is paced. Time is cut into spans of `SPAN`. After `MANY` messages in one span the rest waits for its end, and
the events of a run that wait together become one message. So a delta is at most `SPAN` late, a quiet process delays
nothing, and a busy one sends no more than `MANY` messages and two for each of its runs in a span.
"""

import asyncio
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from runstead.broker.nats.messages import pack
from runstead.wire.event import RawEvent

__all__ = ["MANY", "SPAN", "Outbox", "Outgoing", "Pace", "Unconfirmed"]

T = TypeVar("T")

SPAN = 0.02
"""Seconds."""
MANY = 40
"""Messages in a span; two thousand a second delay nothing."""

_MAX_WAITING = 16 * 1024 * 1024
"""Bytes of events that wait while the server is away or slow. With more, all of them are dropped."""
_MAX_UNCONFIRMED = 16 * 1024 * 1024
"""Bytes of events that are remembered after sending. With more, the older half is forgotten."""

_ROLLUP = "Nats-Rollup"
_REPLACE_ALL = {_ROLLUP: "sub", "Nats-TTL": "1s"}
"""Headers of stored events. The run's kept deltas are obsolete, and the store has the stored events."""
_REPLACE_OLDER = {_ROLLUP: "sub"}
"""Headers of stored events that are followed by deltas, which are kept."""


class Outgoing(NamedTuple):
    """One message to send."""

    subject: str
    data: bytes
    reply: str = ""
    headers: dict[str, str] | None = None
    events: bool = False

    def resent(self) -> "Outgoing":
        """The message as it is sent again. It must not roll up newer deltas of other processes."""
        headers = {name: value for name, value in (self.headers or {}).items() if name != _ROLLUP}
        return self._replace(headers=headers or None)


class _Events(NamedTuple):
    subject: str
    events: list[RawEvent]


class Outbox(Generic[T]):
    """A queue that never blocks. `T` are other items that keep their place in the order."""

    def __init__(self) -> None:
        self._waiting: list[Outgoing | _Events | T] = []
        self._open: dict[str, _Events] = {}
        self._size = 0
        self.filled = asyncio.Event()
        """Set while anything waits."""
        self.urgent = asyncio.Event()
        """Set while anything other than events waits."""

    def publish(self, subject: str, events: Sequence[RawEvent]) -> bool:
        """Add events of a run. False if waiting events had to be dropped."""
        size = sum(len(event.data) for event in events)
        kept = self._size + size <= _MAX_WAITING
        if not kept:
            self._waiting = [each for each in self._waiting if not isinstance(each, _Events)]
            self._open.clear()
            self._size = 0
        waiting = self._open.get(subject)
        if waiting is None:
            waiting = self._open[subject] = _Events(subject, [])
            self._waiting.append(waiting)
        waiting.events.extend(events)
        self._size += size
        self.filled.set()
        return kept

    def put(self, other: Outgoing | T) -> None:
        """Add another item. Events that are published later are sent later."""
        self._waiting.append(other)
        self._open.clear()
        self.filled.set()
        self.urgent.set()

    def drain(self) -> list[Outgoing | T]:
        """Remove and return everything that waits, in order."""
        waiting, self._waiting = self._waiting, []
        self._open.clear()
        self._size = 0
        self.filled.clear()
        self.urgent.clear()
        drained: list[Outgoing | T] = []
        for each in waiting:
            if isinstance(each, _Events):
                drained.extend(_messages(each))
            else:
                drained.append(each)
        return drained


def _messages(waiting: _Events) -> list[Outgoing]:
    rollup = _REPLACE_OLDER if waiting.events[-1].at.delta else _REPLACE_ALL
    return [
        Outgoing(waiting.subject, data, headers=rollup if replaces else None, events=True)
        for data, replaces in pack(waiting.events)
    ]


class Pace:
    """How long one connection waits between two batches. It reads no clock: the time is passed in."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._sent = 0

    def pause(self, now: float, sent: int) -> float:
        """Seconds to wait after sending so many more messages; 0 for none."""
        left = self._began + SPAN - now
        if left <= 0:
            self._began, self._sent = now, 0
            return 0
        self._sent += sent
        return left if self._sent > MANY else 0


class Unconfirmed:
    """Events that were sent and that the server may not have delivered yet.

    A broken connection loses messages that are under way. They are sent again over the next connection, in order and
    before newer ones. Subscribers ignore positions that they have. All messages since the last confirmation but one are
    kept, because the server may not have delivered what it had received at the last one.
    """

    def __init__(self, max_size: int = _MAX_UNCONFIRMED) -> None:
        self._max_size = max_size
        self._older: list[Outgoing] = []
        self._newer: list[Outgoing] = []
        self._size = 0

    def add(self, sent: Outgoing) -> None:
        """Remember a message that was sent."""
        self._newer.append(sent)
        self._size += len(sent.data)
        if self._size > self._max_size // 2:
            self.confirmed()

    def confirmed(self) -> None:
        """The server has received all that was sent."""
        self._older, self._newer, self._size = self._newer, [], 0

    def drain(self) -> list[Outgoing]:
        """Remove and return the messages that may be lost, oldest first."""
        drained = [sent.resent() for sent in (*self._older, *self._newer)]
        self._older, self._newer, self._size = [], [], 0
        return drained
