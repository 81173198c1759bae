"""What waits to be sent, in order. Events of one run that wait together leave together."""

import asyncio
from collections.abc import Sequence
from typing import Generic, NamedTuple, TypeVar

from runstead.broker.nats.packing import pack
from runstead.wire.event import RawEvent

__all__ = ["Outbox", "Said"]

T = TypeVar("T")

_MOST = 16 * 1024 * 1024
"""Bytes of events that wait, while the server is away or slow; with more, all of them are dropped."""

_FORGET = "Nats-Rollup"
_FRESH = {_FORGET: "sub", "Nats-TTL": "1s"}
"""Stored events: what was kept of the run is of no more use, and they themselves are in the store."""
_FROM_HERE = {_FORGET: "sub"}
"""Stored events with deltas behind them, which are kept."""


class Said(NamedTuple):
    """One message."""

    subject: str
    data: bytes
    reply: str = ""
    headers: dict[str, str] | None = None
    events: bool = False

    def again(self) -> "Said":
        """To be said once more. Others may have told newer deltas since: they are not to be forgotten for it."""
        headers = {name: value for name, value in (self.headers or {}).items() if name != _FORGET}
        return self._replace(headers=headers or None)


class _Told(NamedTuple):
    subject: str
    events: list[RawEvent]


class Outbox(Generic[T]):
    """Takes everything at once and never waits. `T` is whatever else must keep its place in the order."""

    def __init__(self) -> None:
        self._waiting: list[Said | _Told | T] = []
        self._told: dict[str, _Told] = {}
        self._size = 0
        self.filled = asyncio.Event()
        """Something waits."""
        self.urgent = asyncio.Event()
        """Something waits that is more than events."""

    def tell(self, subject: str, events: Sequence[RawEvent]) -> bool:
        """Events of a run. False when those that waited had to be dropped."""
        size = sum(len(event.data) for event in events)
        kept = self._size + size <= _MOST
        if not kept:
            self._waiting = [each for each in self._waiting if not isinstance(each, _Told)]
            self._told.clear()
            self._size = 0
        told = self._told.get(subject)
        if told is None:
            told = self._told[subject] = _Told(subject, [])
            self._waiting.append(told)
        told.events.extend(events)
        self._size += size
        self.filled.set()
        return kept

    def put(self, other: Said | T) -> None:
        """Anything else. Nothing that is told after it leaves before it."""
        self._waiting.append(other)
        self._told.clear()
        self.filled.set()
        self.urgent.set()

    def take(self) -> list[Said | T]:
        """All that waits."""
        waiting, self._waiting = self._waiting, []
        self._told.clear()
        self._size = 0
        self.filled.clear()
        self.urgent.clear()
        taken: list[Said | T] = []
        for each in waiting:
            if isinstance(each, _Told):
                taken.extend(_messages(each))
            else:
                taken.append(each)
        return taken


def _messages(told: _Told) -> list[Said]:
    last_is_delta = bool(told.events[-1].at.delta)
    return [
        Said(told.subject, data, headers=(_FROM_HERE if last_is_delta else _FRESH) if fresh else None, events=True)
        for data, fresh in pack(told.events)
    ]
