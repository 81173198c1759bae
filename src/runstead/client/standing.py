"""Where a reader of a run's events stands, and how it goes on after its connection broke. No IO."""

from collections.abc import Mapping
from typing import NamedTuple

from runstead.wire.endpoints import runs as endpoint
from runstead.wire.endpoints.endpoint import AnyEndpoint
from runstead.wire.event import Event, Position
from runstead.wire.page import EventQuery
from runstead.wire.run import Run
from runstead.wire.struct import Request

__all__ = ["Standing", "StreamCall", "events_of"]


class StreamCall(NamedTuple):
    """A call that is answered with events."""

    endpoint: AnyEndpoint
    path: Mapping[str, str]
    query: Request | None = None
    body: Request | None = None


def events_of(thread_id: str, run_id: str, after: str | None = None) -> StreamCall:
    """The call that follows a run from an event on: an extension of this server."""
    path = {"thread_id": thread_id, "run_id": run_id}
    return StreamCall(endpoint.RUN_EVENTS, path, EventQuery(after=after))


class Standing:
    """What a reader has seen of a run: which run it is, and its last event."""

    def __init__(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        last: str | None = None,
        *,
        from_start: bool = False,
    ) -> None:
        self.thread_id = thread_id
        self.run_id = run_id
        self.last = last
        """The id of the last event that was seen; a foreign server gives none."""
        self.from_start = from_start
        """Nothing was seen yet, and all events are wanted."""
        self._rejoined = False

    def takes(self, event: Event) -> bool:
        """Note an event. False if it was seen before."""
        id = event.id
        self.from_start = False
        if id is None:
            return self.run_id is not None or self._learns(event)
        if self._rejoined:
            if self.last is not None and Position.parse(id) <= Position.parse(self.last):
                return False
            self._rejoined = False
        self.last = id
        return self.run_id is not None or self._learns(event)

    def _learns(self, event: Event) -> bool:
        """Find out from its first event which run this is."""
        if isinstance(event.data, Run):
            self.thread_id, self.run_id = event.data.thread_id, event.data.id
        return True

    def rejoin(self) -> StreamCall | None:
        """How to go on behind the last event, if that is possible: they must have had ids."""
        if self.thread_id is None or self.run_id is None or (self.last is None and not self.from_start):
            return None
        self._rejoined = True
        return events_of(self.thread_id, self.run_id, self.last)
