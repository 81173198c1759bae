"""The runs: the one table whose rows race."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from runstead.domain.deadline import deadline
from runstead.store.events import SqlEvents
from runstead.store.port import RunRow, Stale, ThreadBusy
from runstead.store.queries import Queries
from runstead.store.session import Row, Session
from runstead.store.table import Table, encode
from runstead.wire.event import RawEvent
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Run, Status

__all__ = ["SqlRuns"]

_decode = msgspec.json.Decoder(Run).decode
_NO_LIMIT = 2**31


class SqlRuns:
    """`port.Runs`, in SQL."""

    def __init__(self, session: Session, queries: Queries, events: SqlEvents) -> None:
        self._session = session
        self._queries = queries["runs"]
        self._table = Table(session, queries["runs"], Run)
        self._events = events

    async def insert(
        self,
        project: str,
        run: Run,
        events: Sequence[RawEvent],
        owner: str | None = None,
        behind: str | None = None,
    ) -> RunRow:
        inserted = await self._session.row(
            self._queries["insert"],
            id=run.id,
            project=project,
            thread_id=run.thread_id,
            created_at=run.created_at,
            status=_column(run, behind),
            last_event=len(events),
            owner=owner,
            expires_at=deadline(run),
            behind=behind,
            body=encode(run),
        )
        if inserted is None:
            raise ThreadBusy(run.thread_id)
        await self._events.append(project, run.id, 0, events)
        return RunRow(run=run, project=project, version=1, seq=len(events), owner=owner, behind=behind)

    async def get(self, project: str, thread_id: str, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["get"], project=project, thread_id=thread_id, id=run_id))

    async def load(self, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["load"], id=run_id))

    async def move(
        self, row: RunRow, run: Run, events: Sequence[RawEvent], owner: str | None = None, ready_at: int = 0
    ) -> RunRow:
        seq = row.seq + len(events)
        delays = row.delays + bool(ready_at)
        moved = await self._session.row(
            self._queries["move"],
            id=run.id,
            version=row.version,
            status=_column(run, row.behind),
            last_event=seq,
            owner=owner,
            expires_at=deadline(run),
            ready_at=ready_at,
            delays=delays,
            body=encode(run),
        )
        if moved is None:
            raise Stale(run.id)
        await self._events.append(row.project, run.id, row.seq, events)
        return structs.replace(
            row, run=run, version=row.version + 1, seq=seq, owner=owner, ready_at=ready_at, delays=delays
        )

    async def active(self, project: str, thread_id: str) -> Run | None:
        row = await self._session.row(self._queries["active"], project=project, thread_id=thread_id)
        return None if row is None else _decode(row[0])

    async def page(self, project: str, thread_id: str, query: ListQuery) -> Page[Run] | None:
        return await self._table.page(query, project=project, thread_id=thread_id)

    async def last_in_line(self, project: str, thread_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["last_in_line"], project=project, thread_id=thread_id))

    async def release(self, ended: RunRow) -> RunRow | None:
        if ended.behind is not None:
            await self._session.execute(self._queries["pass_on"], id=ended.run.id, behind=ended.behind)
            return None
        return _row(await self._session.row(self._queries["release"], id=ended.run.id))

    async def room(self, project: str, most: int) -> bool:
        await self._session.row(self._queries["hold_project"], project=project)
        row = await self._session.row(self._queries["running"], project=project)
        return row is not None and row[0] < most

    async def crowded(self, project: str, most: int) -> bool:
        return await self._session.row(self._queries["crowded"], project=project, most=most) is not None

    async def ready(self, most: int | None, now: int, limit: int) -> list[str]:
        most = _NO_LIMIT if most is None else most
        rows = await self._session.rows(self._queries["ready"], most=most, now=now, limit=limit)
        return [row[0] for row in rows]

    async def orphans(self, limit: int) -> list[tuple[str, str]]:
        return [(run_id, owner) for run_id, owner in await self._session.rows(self._queries["orphans"], limit=limit)]

    async def held(self, owner: str) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["held"], owner=owner)]

    async def stopping(self, owner: str, now: int, limit: int) -> list[str]:
        rows = await self._session.rows(self._queries["stopping"], owner=owner, now=now, limit=limit)
        return [row[0] for row in rows]

    async def overdue(self, now: int, limit: int) -> list[str]:
        found: list[str] = []
        for statement in ("overdue", "overdue_waiting"):
            rows = await self._session.rows(self._queries[statement], now=now, limit=limit - len(found))
            found += [row[0] for row in rows]
        return found

    async def next_deadline(self) -> int | None:
        row = await self._session.row(self._queries["next_deadline"])
        return None if row is None else int(row[0])


def _row(row: Row | None) -> RunRow | None:
    if row is None:
        return None
    body, project, version, seq, owner, behind, ready_at, delays = row
    return RunRow(
        run=_decode(body),
        project=project,
        version=version,
        seq=seq,
        owner=owner,
        behind=behind,
        ready_at=ready_at,
        delays=delays,
    )


def _column(run: Run, behind: str | None) -> str:
    """The status by which a run is found."""
    return "waiting" if behind is not None and run.status is Status.QUEUED else run.status.value
