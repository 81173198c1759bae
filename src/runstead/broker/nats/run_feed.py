"""One run as this process follows it: its subscribers here, and the deltas of its open message.

The kept deltas are requested from the server after the subscription stands. Events that arrive before the answer wait
for it, and both are put in order. The same happens after a reconnection, and where a delta is missing.
"""

from collections.abc import Callable, Sequence

from runstead.broker.nats.messages import since_stored, unpack
from runstead.broker.subscriber import Subscriber
from runstead.wire.event import START, Position, RawEvent

__all__ = ["RunFeed"]

_REQUESTS = 3
"""How often a gap is requested from the server before it is left to the store."""


class RunFeed:
    """`recall` requests what the server has kept; the answer comes by `add_past`."""

    def __init__(self, recall: Callable[[], None]) -> None:
        self.kept: list[RawEvent] = []
        self.subscribers: set[Subscriber] = set()
        self.close: Callable[[], None] = lambda: None
        """Ends the subscription."""
        self._recall = recall
        self.last = START
        """The position of the last event that arrived."""
        self._early: list[RawEvent] | None = None
        self._requests = 0

    def unchanged_since(self, last: Position) -> bool:
        """Nothing arrived after this position, and nothing is requested."""
        return self.last == last and self._early is None

    def begin(self) -> None:
        """The subscription stands, perhaps again: request what was missed."""
        self._early = self._early or []
        self._recall()

    def receive_message(self, data: bytes) -> None:
        """Unpack a message of the subscription."""
        events = unpack(data)
        if events:
            self.receive(events)
        else:
            self._drop()

    def receive(self, events: Sequence[RawEvent]) -> None:
        """Pass events on. Known ones are ignored: they are sent again after a broken connection, or by a worker that
        has lost the run.
        """
        if self._early is not None:
            self._early.extend(events)
            return
        fresh = [event for event in events if event.at > self.last]
        if self._has_gap(fresh) and self._requests < _REQUESTS:
            self._requests += 1
            self._early = fresh
            self._recall()
        elif fresh:
            self._pass_on(fresh)

    def add_past(self, past: Sequence[RawEvent]) -> None:
        """The events that the server had kept have arrived, as far as it has them."""
        early, self._early = self._early or [], None
        known = {event.at: event for event in [*since_stored(past), *early]}
        self.receive([known[at] for at in sorted(known)])

    def _has_gap(self, events: Sequence[RawEvent]) -> bool:
        """Deltas before these are missing, and still matter."""
        if not events or not all(event.at.delta for event in events):
            return False
        at, last = events[0].at, self.last
        return at.delta > 1 and at != (last.seq, last.delta + 1)

    def _pass_on(self, events: Sequence[RawEvent]) -> None:
        self._requests = 0
        self.last = max(event.at for event in events)
        deltas = since_stored(events)
        if len(deltas) < len(events):
            self.kept = deltas
        else:
            self.kept.extend(deltas)
        for subscriber in self.subscribers:
            subscriber.receive(events)

    def _drop(self) -> None:
        self.kept = []
        for subscriber in self.subscribers:
            subscriber.drop()
