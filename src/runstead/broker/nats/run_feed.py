"""One run as this process follows it: its subscribers here, and the deltas of its open message.

The kept deltas are requested from the server once the subscription is active. Events that arrive before the answer
wait for it, and both are merged in order. The same happens after a reconnection, and when a delta is missing.
"""

from collections.abc import Callable, Sequence

from runstead.broker.kept_deltas import KeptDeltas
from runstead.broker.nats.messages import since_stored, unpack
from runstead.broker.subscriber import Subscriber
from runstead.wire.event import START, Position, RawEvent

__all__ = ["RunFeed"]

_REQUESTS = 3
"""How often a gap is requested from the server before it is left to the store."""


class RunFeed:
    """`request_kept` requests the events that the server has kept. Their receiver calls `add_kept`."""

    def __init__(self, request_kept: Callable[[], None]) -> None:
        self.kept = KeptDeltas()
        self.subscribers: set[Subscriber] = set()
        self.close: Callable[[], None] = lambda: None
        """Ends the subscription."""
        self._request_kept = request_kept
        self.last = START
        """The position of the last event that arrived."""
        self._early: list[RawEvent] | None = None
        self._requests = 0

    def unchanged_since(self, last: Position) -> bool:
        """Whether no event has arrived after this position, and none is requested."""
        return self.last == last and self._early is None

    def catch_up(self) -> None:
        """The subscription is active, perhaps again: request missed events."""
        self._early = self._early or []
        self._request_kept()

    def receive_message(self, data: bytes) -> None:
        """Unpack a message of the subscription."""
        events = unpack(data)
        if events:
            self.receive(events)
        else:
            self._drop()

    def receive(self, events: Sequence[RawEvent]) -> None:
        """Deliver events to the subscribers.

        Events at known positions are ignored. They were sent again after a broken connection, or by a worker that no
        longer owns the run.
        """
        if self._early is not None:
            self._early.extend(events)
            return
        fresh = [event for event in events if event.at > self.last]
        if self._has_gap(fresh) and self._requests < _REQUESTS:
            self._requests += 1
            self._early = fresh
            self._request_kept()
        elif fresh:
            self._deliver(fresh)

    def add_kept(self, kept: Sequence[RawEvent]) -> None:
        """Add the events that the server has kept, and those that arrived meanwhile."""
        early, self._early = self._early or [], None
        known = {event.at: event for event in [*since_stored(kept), *early]}
        self.receive([known[at] for at in sorted(known)])

    def _has_gap(self, events: Sequence[RawEvent]) -> bool:
        """Whether deltas before these are missing and are still needed."""
        if not events or not all(event.at.delta for event in events):
            return False
        at, last = events[0].at, self.last
        return at.delta > 1 and at != (last.seq, last.delta + 1)

    def _deliver(self, events: Sequence[RawEvent]) -> None:
        self._requests = 0
        self.last = max(event.at for event in events)
        deltas = since_stored(events)
        if len(deltas) < len(events):
            self.kept.clear()
        self.kept.extend(deltas)
        for subscriber in self.subscribers:
            subscriber.receive(events)

    def _drop(self) -> None:
        self.kept.clear()
        for subscriber in self.subscribers:
            subscriber.drop()
