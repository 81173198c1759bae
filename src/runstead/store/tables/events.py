"""The table of stored events, read in pages that are bounded in events and in bytes."""

from collections.abc import Iterable
from typing import Any

import msgspec

from runstead.domain.run.change import Change
from runstead.store.port.events import PAGE_SIZE
from runstead.store.tables.batch import first_within
from runstead.store.tables.event_rows import complete, incomplete, pack, unpack
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session
from runstead.wire.event import RawEvent

__all__ = ["SqlEvents"]

_encode = msgspec.json.Encoder().encode


class SqlEvents:
    """`port.Events`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["events"]

    async def append(self, project: str, run_id: str, seq: int, change: Change) -> None:
        """Store the run's next events, numbered from `seq + 1` on. What guards the run guards them."""
        if change.events:
            await self._session.execute(
                self._queries["append"],
                run_id=run_id,
                project=project,
                first=seq + 1,
                last=seq + len(change.events),
                body=pack(change),
            )

    async def after(self, run_id: str, seq: int, limit: int, size: int = PAGE_SIZE) -> list[RawEvent]:
        # A row holds an event at least, so `limit` rows are enough.
        rows = await self._session.rows(self._queries["sizes"], run_id=run_id, seq=seq, limit=limit)
        if not rows:
            return []
        upto = rows[first_within([length for _, length in rows], size) - 1][0]
        events: list[RawEvent] = []
        for first, body in await self._session.rows(self._queries["after"], run_id=run_id, seq=seq, upto=upto):
            events += [event for event in unpack(first, body) if event.at.seq > seq]
            if len(events) >= limit:
                break
        return await self._completed(events, size)

    async def _completed(self, events: list[RawEvent], size: int) -> list[RawEvent]:
        """The events with what other rows have of them; fewer if all together would exceed the size."""
        lacking = {event.at: id for event in events if (id := incomplete(event)) is not None}
        if not lacking:
            return events
        lengths = await self._of_objects("lengths", lacking.values())
        sizes = [len(event.data) + lengths.get(lacking.get(event.at, ""), 0) for event in events]
        events = events[: first_within(sizes, size)]
        bodies = await self._of_objects("bodies", [lacking[event.at] for event in events if event.at in lacking])
        return [complete(event, bodies.get(lacking[event.at])) if event.at in lacking else event for event in events]

    async def _of_objects(self, statement: str, ids: Iterable[str]) -> dict[str, Any]:
        asked = _encode(sorted(set(ids))).decode()
        return dict(await self._session.rows(self._queries[statement], ids=asked))
