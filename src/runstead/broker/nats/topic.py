"""One run, as this node follows it: who listens here, and the deltas of its open message.

What the server kept is asked for after the subscription stands. Whatever is heard until the answer comes waits for it,
and both are put in order. The same happens again when the connection was renewed, and where a delta is missing.
"""

from collections.abc import Callable, Sequence

from runstead.broker.listener import Listener
from runstead.broker.nats.packing import since_stored, unpack
from runstead.wire.event import START, Position, RawEvent

__all__ = ["Topic"]

_TRIES = 3
"""How often a hole is asked about before it is left to the store."""


class Topic:
    """`recall` asks the server for what it kept; the answer comes by `join`."""

    def __init__(self, recall: Callable[[], None]) -> None:
        self.kept: list[RawEvent] = []
        self.listeners: set[Listener] = set()
        self.leave: Callable[[], None] = lambda: None
        """Ends the subscription."""
        self._recall = recall
        self.last = START
        """The position up to which the run was heard."""
        self._early: list[RawEvent] | None = None
        self._tries = 0

    def quiet_since(self, last: Position) -> bool:
        """Nothing was heard of the run behind this position, and nothing is asked for."""
        return self.last == last and self._early is None

    def begin(self) -> None:
        """The subscription stands, again perhaps: what was missed is asked for."""
        self._early = self._early or []
        self._recall()

    def receive(self, data: bytes) -> None:
        """A message came."""
        events = unpack(data)
        if events:
            self.hear(events)
        else:
            self._miss()

    def hear(self, events: Sequence[RawEvent]) -> None:
        """These were told. What is known is told again after a broken connection, or by one that lost its run."""
        if self._early is not None:
            self._early.extend(events)
            return
        fresh = [event for event in events if event.at > self.last]
        if self._gap(fresh) and self._tries < _TRIES:
            self._tries += 1
            self._early = fresh
            self._recall()
        elif fresh:
            self._tell(fresh)

    def join(self, past: Sequence[RawEvent]) -> None:
        """What the server kept came, as far as it could be had."""
        early, self._early = self._early or [], None
        known = {event.at: event for event in [*since_stored(past), *early]}
        self.hear([known[at] for at in sorted(known)])

    def _gap(self, events: Sequence[RawEvent]) -> bool:
        """Deltas before these were not heard, and they still matter."""
        if not events or not all(event.at.delta for event in events):
            return False
        at, last = events[0].at, self.last
        return at.delta > 1 and at != (last.seq, last.delta + 1)

    def _tell(self, events: Sequence[RawEvent]) -> None:
        self._tries = 0
        self.last = max(event.at for event in events)
        deltas = since_stored(events)
        if len(deltas) < len(events):
            self.kept = deltas
        else:
            self.kept.extend(deltas)
        for listener in self.listeners:
            listener.hear(events)

    def _miss(self) -> None:
        self.kept = []
        for listener in self.listeners:
            listener.miss()
