"""The runs: the one table whose rows race."""

from collections.abc import Sequence

import msgspec
from msgspec import structs

from runstead.domain.run.deadline import deadline
from runstead.store.port import NoRoom, RunRow, Stale, ThreadBusy
from runstead.store.tables.events import SqlEvents
from runstead.store.tables.queries import Queries
from runstead.store.tables.session import Row, Session
from runstead.store.tables.table import Table, encode
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
        predecessor: str | None = None,
    ) -> RunRow:
        inserted = await self._session.row(
            self._queries["insert"],
            id=run.id,
            project=project,
            thread_id=run.thread_id,
            created_at=run.created_at,
            status=_column(run, predecessor),
            last_event=len(events),
            owner=owner,
            expires_at=deadline(run),
            predecessor=predecessor,
            body=encode(run),
        )
        if inserted is None:
            raise ThreadBusy(run.thread_id)
        await self._events.append(project, run.id, 0, events)
        return RunRow(run=run, project=project, version=1, seq=len(events), owner=owner, predecessor=predecessor)

    async def get(self, project: str, thread_id: str, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["get"], project=project, thread_id=thread_id, id=run_id))

    async def load(self, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["load"], id=run_id))

    async def move(
        self, row: RunRow, run: Run, events: Sequence[RawEvent], owner: str | None = None, ready_at: int = 0
    ) -> RunRow:
        seq = row.seq + len(events)
        # Whoever came as far as a pause got on: the next delay is a first one.
        delays = row.delays + 1 if ready_at else 0 if run.status.pausing else row.delays
        moved = await self._session.row(
            self._queries["move"],
            id=run.id,
            version=row.version,
            status=_column(run, row.predecessor),
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

    async def queue_head(self, project: str, thread_id: str) -> RunRow | None:
        return await self._in_queue("queue_head", project, thread_id)

    async def queue_successor(self, run_id: str) -> RunRow | None:
        while True:
            row = await self._session.row(self._queries["queue_successor"], id=run_id)
            if row is not None or not await self._has_successor(run_id):
                return _row(row)

    async def queue_tail(self, project: str, thread_id: str) -> RunRow | None:
        return await self._in_queue("queue_tail", project, thread_id)

    async def insert_after(self, run_id: str, ahead: str) -> None:
        await self._move_successors(ahead, run_id)
        await self._session.execute(self._queries["move_added_messages"], id=ahead, predecessor=run_id)

    async def has_waiting(self, run_id: str) -> bool:
        return await self._session.row(self._queries["has_waiting"], id=run_id) is not None

    async def promote_next(self, ended: RunRow) -> RunRow | None:
        if ended.predecessor is not None:
            await self._move_successors(ended.run.id, ended.predecessor)
            return None
        while await self._has_successor(ended.run.id):
            row = await self._session.row(self._queries["promote_next"], id=ended.run.id)
            if row is not None:
                return _row(row)
        return None

    # Whoever in a line was about to be found, and ended in the meantime, is passed over by the statement that waited
    # for it, though another one has come to stand in its place. So what found nobody looks again while there is
    # somebody. Each time one run less is in the line.

    async def _in_queue(self, statement: str, project: str, thread_id: str) -> RunRow | None:
        while True:
            row = await self._session.row(self._queries[statement], project=project, thread_id=thread_id)
            if row is not None or await self.active(project, thread_id) is None:
                return _row(row)

    async def _move_successors(self, run_id: str, predecessor: str) -> None:
        while await self._has_successor(run_id):
            await self._session.execute(self._queries["move_successors"], id=run_id, predecessor=predecessor)

    async def _has_successor(self, run_id: str) -> bool:
        return await self._session.row(self._queries["has_successor"], id=run_id) is not None

    async def below_limit(self, project: str, most: int, now: int) -> bool:
        await self._session.row(self._queries["lock_project"], project=project)
        row = await self._session.row(self._queries["below_limit"], project=project, most=most, now=now)
        return row is not None and bool(row[0])

    async def queue_length_reached(self, project: str, most: int) -> bool:
        return await self._session.row(self._queries["queue_length_reached"], project=project, most=most) is not None

    async def next_claimable(self, run_id: str, most: int | None, now: int) -> RunRow | None:
        if most is not None:
            # What is counted must be counted by a statement that begins once the project is held.
            held = await self._session.row(self._queries["lock_project_of"], id=run_id)
            if held is None:
                return None
            running = await self._session.row(self._queries["running"], project=held[0])
            if running is None or running[0] >= most:
                raise NoRoom(held[0])
        return _row(await self._session.row(self._queries["next_claimable"], id=run_id, now=now))

    async def claimable(self, most: int | None, now: int, limit: int) -> list[str]:
        most = _NO_LIMIT if most is None else most
        rows = await self._session.rows(self._queries["claimable"], most=most, now=now, limit=limit)
        return [row[0] for row in rows]

    async def orphans(self, limit: int) -> list[tuple[str, str]]:
        return [(run_id, owner) for run_id, owner in await self._session.rows(self._queries["orphans"], limit=limit)]

    async def owned_by(self, owner: str) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["owned_by"], owner=owner)]

    async def to_stop(self, owner: str, now: int, limit: int) -> list[str]:
        rows = await self._session.rows(self._queries["to_stop"], owner=owner, now=now, limit=limit)
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
    body, project, version, seq, owner, predecessor, ready_at, delays = row
    return RunRow(
        run=_decode(body),
        project=project,
        version=version,
        seq=seq,
        owner=owner,
        predecessor=predecessor,
        ready_at=ready_at,
        delays=delays,
    )


def _column(run: Run, predecessor: str | None) -> str:
    """The status by which a run is found."""
    return "waiting" if predecessor is not None and run.status is Status.QUEUED else run.status.value
