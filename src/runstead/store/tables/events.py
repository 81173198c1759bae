"""The stored events: one row for all that a run reported in one transaction.

The body of a row is a JSON array of `[name, data]`; the data is spliced in and cut out as it is, never decoded.
"""

from collections.abc import Sequence

import msgspec

from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session
from runstead.wire.event import EventName, Position, RawEvent

__all__ = ["SqlEvents", "pack", "unpack"]

_decode = msgspec.json.Decoder(list[tuple[str, msgspec.Raw]]).decode


class SqlEvents:
    """`port.Events`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["events"]

    async def append(self, project: str, run_id: str, seq: int, events: Sequence[RawEvent]) -> None:
        """Store the run's next events, numbered from `seq + 1` on. What guards the run guards them."""
        if not events:
            return
        await self._session.execute(
            self._queries["append"],
            run_id=run_id,
            project=project,
            first=seq + 1,
            last=seq + len(events),
            body=pack(events),
        )

    async def after(self, run_id: str, seq: int, limit: int) -> list[RawEvent]:
        events: list[RawEvent] = []
        # A row holds an event at least, so `limit` rows are enough.
        for first, body in await self._session.rows(self._queries["after"], run_id=run_id, seq=seq, limit=limit):
            events += [event for event in unpack(first, body) if event.at.seq > seq]
            if len(events) >= limit:
                break
        return events


def pack(events: Sequence[RawEvent]) -> bytes:
    """The body of a row that holds these events."""
    return b"[%b]" % b",".join([b'["%b",%b]' % (event.name.encode(), event.data) for event in events])


def unpack(first: int, body: bytes) -> list[RawEvent]:
    """The events of a row."""
    return [
        RawEvent(Position(number), _name(name), bytes(data)) for number, (name, data) in enumerate(_decode(body), first)
    ]


def _name(name: str) -> EventName:
    """The name of an event. That of a newer version is passed on as it is: left out, the event would leave a gap."""
    try:
        return EventName(name)
    except ValueError:
        unknown = str.__new__(EventName, name)
        unknown._name_ = unknown._value_ = name
        return unknown
