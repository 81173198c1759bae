"""A reader's position in the events of a run, from which its stream resumes after a disconnect. No IO."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from runstead.wire.endpoints import runs as endpoint
from runstead.wire.endpoints.endpoint import AnyEndpoint
from runstead.wire.error import BadRequest, ServerError
from runstead.wire.event import Event, Position
from runstead.wire.page import EventQuery
from runstead.wire.run import Run
from runstead.wire.run_step import Include
from runstead.wire.struct import Request

__all__ = ["StreamCall", "StreamPosition", "run_events_call"]


MAX_ID_LENGTH = 128
"""Characters of an event's id from which a stream resumes. The id travels in the address."""


class StreamCall(NamedTuple):
    """A call whose response is a stream of events."""

    endpoint: AnyEndpoint
    path: Mapping[str, str]
    query: Request | None = None
    body: Request | None = None


def run_events_call(
    thread_id: str, run_id: str, after: str | None = None, include: Sequence[Include] = ()
) -> StreamCall:
    """The call for a run's events after the event with this id. Servers other than Runstead do not have it."""
    path = {"thread_id": thread_id, "run_id": run_id}
    return StreamCall(endpoint.RUN_EVENTS, path, EventQuery(after=after, include=list(include)))


class StreamPosition:
    """Which run a reader follows, and the last event that it has seen."""

    def __init__(
        self,
        thread_id: str | None = None,
        run_id: str | None = None,
        last: str | None = None,
        *,
        from_start: bool = False,
        include: Sequence[Include] = (),
    ) -> None:
        self.thread_id = thread_id
        self.run_id = run_id
        self.last = last
        """The id of the last event that was seen. The events of a foreign server have none."""
        self.from_start = from_start
        """All events are wanted, and none was seen yet."""
        self._include = include
        self._resumed = False

    def advance(self, event: Event) -> bool:
        """Move to an event. False if it was seen before, as may happen after a resume."""
        self.from_start = False
        if event.id is not None and not self._moves_to(event.id):
            return False
        if self.run_id is None and isinstance(event.data, Run):
            self.thread_id, self.run_id = event.data.thread_id, event.data.id
        return True

    def _moves_to(self, id: str) -> bool:
        if self._resumed:
            if self.last is not None and _position(id) <= _position(self.last):
                return False
            self._resumed = False
        self.last = id
        return True

    def resume(self) -> StreamCall | None:
        """The call for the events after the last one. None if the run, or the id of its last event, is unknown."""
        if self.thread_id is None or self.run_id is None or (self.last is None and not self.from_start):
            return None
        if self.last is not None and len(self.last) > MAX_ID_LENGTH:
            return None
        self._resumed = True
        return run_events_call(self.thread_id, self.run_id, self.last, self._include)


def _position(id: str) -> Position:
    try:
        return Position.parse(id)
    except BadRequest:
        raise ServerError("The stream cannot be resumed: the ids of its events are not positions.") from None
