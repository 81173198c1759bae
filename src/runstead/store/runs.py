"""The runs: the one table whose rows race."""

from collections.abc import Sequence

import msgspec

from runstead.store.events import SqlEvents
from runstead.store.port import RunRow, Stale, ThreadBusy
from runstead.store.queries import Queries
from runstead.store.session import Row, Session
from runstead.store.table import Table, encode
from runstead.wire.event import RawEvent
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Run

__all__ = ["SqlRuns"]

_decode = msgspec.json.Decoder(Run).decode


class SqlRuns:
    """`port.Runs`, in SQL."""

    def __init__(self, session: Session, queries: Queries, events: SqlEvents) -> None:
        self._session = session
        self._queries = queries["runs"]
        self._table = Table(session, queries["runs"], Run)
        self._events = events

    async def insert(self, project: str, run: Run, events: Sequence[RawEvent], owner: str | None = None) -> RunRow:
        inserted = await self._session.row(
            self._queries["insert"],
            id=run.id,
            project=project,
            thread_id=run.thread_id,
            created_at=run.created_at,
            status=run.status.value,
            last_event=len(events),
            owner=owner,
            expires_at=run.expires_at,
            body=encode(run),
        )
        if inserted is None:
            raise ThreadBusy(run.thread_id)
        await self._events.append(project, run.id, 0, events)
        return RunRow(run=run, project=project, version=1, seq=len(events), owner=owner)

    async def get(self, project: str, thread_id: str, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["get"], project=project, thread_id=thread_id, id=run_id))

    async def load(self, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["load"], id=run_id))

    async def move(self, row: RunRow, run: Run, events: Sequence[RawEvent], owner: str | None = None) -> RunRow:
        seq = row.seq + len(events)
        moved = await self._session.row(
            self._queries["move"],
            id=run.id,
            version=row.version,
            status=run.status.value,
            last_event=seq,
            owner=owner,
            expires_at=run.expires_at,
            body=encode(run),
        )
        if moved is None:
            raise Stale(run.id)
        await self._events.append(row.project, run.id, row.seq, events)
        return RunRow(run=run, project=row.project, version=row.version + 1, seq=seq, owner=owner)

    async def active(self, project: str, thread_id: str) -> Run | None:
        row = await self._session.row(self._queries["active"], project=project, thread_id=thread_id)
        return None if row is None else _decode(row[0])

    async def page(self, project: str, thread_id: str, query: ListQuery) -> Page[Run] | None:
        return await self._table.page(query, project=project, thread_id=thread_id)

    async def queued(self, limit: int) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["queued"], limit=limit)]

    async def held(self, owner: str | None, limit: int) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["held"], owner=owner, limit=limit)]

    async def stopping(self, owner: str, now: int, limit: int) -> list[str]:
        rows = await self._session.rows(self._queries["stopping"], owner=owner, now=now, limit=limit)
        return [row[0] for row in rows]

    async def overdue(self, now: int, limit: int) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["overdue"], now=now, limit=limit)]

    async def next_deadline(self) -> int | None:
        row = await self._session.row(self._queries["next_deadline"])
        return None if row is None else int(row[0])


def _row(row: Row | None) -> RunRow | None:
    if row is None:
        return None
    body, project, version, seq, owner = row
    return RunRow(run=_decode(body), project=project, version=version, seq=seq, owner=owner)
