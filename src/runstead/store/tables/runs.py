"""The table of runs, and the one gate through which they change."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import structs

from runstead.domain import webhooks
from runstead.domain.run.change import Change
from runstead.domain.run.deadline import deadline
from runstead.store.port import Applied, Claimable, Created, Limits, NoRoom, Opening, RunRow, Stale, ThreadBusy
from runstead.store.tables.body import Body, unknown_in, with_unknown
from runstead.store.tables.chosen_defaults import ASSISTANT, RUN
from runstead.store.tables.events import SqlEvents
from runstead.store.tables.messages import SqlMessages
from runstead.store.tables.projects import effective
from runstead.store.tables.queries import Queries
from runstead.store.tables.steps import SqlSteps
from runstead.store.tables.table import Row, Session, Table, Value
from runstead.wire.codec.run_parts import encode_settings, state_of
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Run, Status
from runstead.wire.thread import Thread

__all__ = ["Columns", "Parts", "SqlRuns", "run_columns"]

_thread = Body(Thread)
_NO_LIMIT = 0

Columns: TypeAlias = Mapping[str, Value]


class Parts(NamedTuple):
    """The rows that a change writes beside the run, as columns."""

    new_steps: Sequence[Columns]
    steps: Sequence[Columns]
    new_messages: Sequence[Columns]
    messages: Sequence[Columns]
    notifications: Sequence[Columns]
    """The events that webhooks may want."""
    now: int
    """The time at which they are due."""


class SqlRuns:
    """`port.Runs`, in SQL. Each part of a change is a statement of its own."""

    def __init__(
        self, session: Session, queries: Queries, events: SqlEvents, steps: SqlSteps, messages: SqlMessages
    ) -> None:
        self._session = session
        self._queries = queries["runs"]
        self._deliver = queries["webhooks"]["enqueue"]
        self._table = _RunTable(session, queries["runs"], Run)
        self._events = events
        self._steps = steps
        self._messages = messages

    async def opening(self, project: str, thread_id: str | None, assistant_id: str, defaults: Limits) -> Opening:
        row = await self._session.row(
            self._queries["opening"],
            project=project,
            thread_id=thread_id,
            assistant_id=assistant_id,
            max_queued=defaults.max_queued or _NO_LIMIT,
        )
        thread, assistant, max_running, max_queued, queue_full = row or (None, None, None, None, False)
        return Opening(
            None if thread is None else _thread.decode(thread),
            None if assistant is None else ASSISTANT.decode(assistant),
            effective(max_running, max_queued, defaults),
            bool(queue_full),
        )

    async def create(self, project: str, change: Change, predecessor: str | None = None) -> Created:
        start = RunRow(run=change.run, project=project, version=0, seq=0, predecessor=predecessor)
        row = start.after(change)
        added_by = None if predecessor is None else row.run.id
        messages = [self._messages.columns(message, predecessor, added_by) for message in change.new_messages]
        answered = await self._insert(row, change, messages)
        if answered is None:
            raise ThreadBusy(row.run.thread_id)
        return Created(row, empty_thread=not answered and not messages)

    async def apply(self, row: RunRow, change: Change, now: int) -> Applied:
        after = row.after(change)
        known = RUN.encode(after.run, after.chosen_defaults)
        body = with_unknown(known, row.unknown)
        if row.unknown is not None:
            after = structs.replace(after, unknown=unknown_in(body, known))
        parts = Parts(
            [self._steps.columns(step) for step in change.new_steps],
            [self._steps.columns(step) for step in change.steps],
            [self._messages.columns(message) for message in change.new_messages],
            [self._messages.columns(message) for message in change.messages],
            _notifications(after, change, now),
            now,
        )
        if not await self._update(row, after, body, change, parts):
            raise Stale(row.run.id)
        return Applied(after, await self._promote(after) if after.run.status.terminal else None)

    async def _insert(self, row: RunRow, change: Change, messages: Sequence[Columns]) -> bool | None:
        """Write a new run; whether its thread had messages before, or None if the thread has an active run."""
        inserted = await self._session.row(
            self._queries["insert"], **run_columns(row), thread_id=row.run.thread_id, created_at=row.run.created_at,
            predecessor=row.predecessor, body=RUN.encode(row.run, row.chosen_defaults),
            settings=encode_settings(row.run),
        )  # fmt: skip
        if inserted is None:
            return None
        await self._events.append(row.project, row.run.id, 0, change)
        await self._messages.insert_columns(row.project, messages)
        return bool(inserted[0])

    async def _update(self, row: RunRow, after: RunRow, body: bytes, change: Change, parts: Parts) -> bool:
        """Write the row over the one before, with its parts; False if another writer was first."""
        # The run first: the writer that has changed it has it locked, so no other one writes what belongs to it.
        statement = "apply_unindexed" if _indexed(row) == _indexed(after) else "apply"
        updated = await self._session.row(
            self._queries[statement], **run_columns(after), version=row.version, ready_at=after.ready_at,
            delays=after.delays, body=body,
        )  # fmt: skip
        if updated is None:
            return False
        await self._events.append(row.project, row.run.id, row.seq, change)
        for columns in parts.new_steps:
            await self._steps.insert_columns(row.project, columns)
        for columns in parts.steps:
            await self._steps.replace_columns(row.project, columns)
        await self._messages.insert_columns(row.project, parts.new_messages)
        for columns in parts.messages:
            await self._messages.replace_columns(row.project, columns)
        for columns in parts.notifications:
            await self._session.execute(
                self._deliver, project=row.project, run_id=row.run.id, thread_id=row.run.thread_id, **columns
            )
        return True

    async def _promote(self, ended: RunRow) -> RunRow | None:
        """Promote the successors of a run that has ended, or queue them behind its predecessor."""
        if await self._session.row(self._queries["has_waiting"], id=ended.run.id) is None:
            return None
        promoted = await self._promote_run(ended)
        await self._messages.promote_waiting(ended)
        return promoted

    async def _promote_run(self, ended: RunRow) -> RunRow | None:
        if ended.predecessor is not None:
            await self._move_successors(ended.run.id, ended.predecessor)
            return None
        while await self._has_successor(ended.run.id):
            row = await self._session.row(self._queries["promote_next"], id=ended.run.id)
            if row is not None:
                return _row(row)
        return None

    async def get(self, project: str, thread_id: str, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["get"], project=project, thread_id=thread_id, id=run_id))

    async def load(self, run_id: str) -> RunRow | None:
        return _row(await self._session.row(self._queries["load"], id=run_id))

    async def active(self, project: str, thread_id: str) -> Run | None:
        row = await self._session.row(self._queries["active"], project=project, thread_id=thread_id)
        return None if row is None else RUN.decode(row[0], row[1])[0]

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

    # On PostgreSQL a statement that waited for the lock of a run skips that run if it has ended meanwhile, although its
    # successor matches by then. So a query without a result is repeated while the queue is not empty. Each repetition
    # means that a run has ended, so the loop ends.

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
        row = await self._session.row(self._queries["below_limit"], project=project, most=most, now=now)
        return row is not None and bool(row[0])

    async def has_queued(self, project: str) -> bool:
        return await self._session.row(self._queries["has_queued"], project=project) is not None

    async def next_claimable(self, run_id: str, most: int | None, now: int) -> Claimable | None:
        default = most or _NO_LIMIT
        # Runs must be counted by a statement that begins after the project is locked.
        locked = await self._session.row(self._queries["lock_project_of"], id=run_id, most=default)
        if locked is None:
            return None
        project, limit, *_ = locked
        found = await self._session.row(
            self._queries["next_claimable"], project=project, most=limit or _NO_LIMIT, now=now
        )
        if found is not None:
            return Claimable(_known_row(found), limited=bool(limit))
        if limit and await self._session.row(self._queries["at_limit"], project=project, most=limit) is not None:
            raise NoRoom(project)
        return None

    async def claimable(self, most: int | None, now: int, limit: int) -> list[str]:
        rows = await self._session.rows(self._queries["claimable"], most=most or _NO_LIMIT, now=now, limit=limit)
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


class _RunTable(Table[Run]):
    """A table whose objects are in two columns."""

    columns = ("body", "settings")

    def item(self, row: Row) -> Run:
        return RUN.decode(*row)[0]


def _row(row: Row | None) -> RunRow | None:
    return None if row is None else _known_row(row)


def _known_row(row: Row) -> RunRow:
    body, settings, project, version, seq, owner, predecessor, ready_at, delays = row
    run, chosen_defaults = RUN.decode(body, settings)
    return RunRow(
        run=run,
        project=project,
        version=version,
        seq=seq,
        owner=owner,
        predecessor=predecessor,
        ready_at=ready_at,
        delays=delays,
        chosen_defaults=chosen_defaults,
        unknown=unknown_in(state_of(body) if settings is None else body, RUN.encode(run, chosen_defaults)),
    )


def run_columns(row: RunRow) -> Columns:
    """The parameters of every write of a run."""
    run = row.run
    # A run that waits behind another one is found by a status of its own.
    waits = row.predecessor is not None and run.status is Status.QUEUED
    return {
        "id": run.id,
        "project": row.project,
        "status": "waiting" if waits else run.status.value,
        "last_event": row.seq,
        "owner": row.owner,
        "expires_at": deadline(run),
    }


def _indexed(row: RunRow) -> tuple[Value, ...]:
    """The indexed columns of a run that a change may alter."""
    return row.run.status, deadline(row.run), row.owner, row.predecessor, row.ready_at, row.delays


def _notifications(after: RunRow, change: Change, now: int) -> Sequence[Columns]:
    """A row for each event that webhooks may want."""
    first = after.seq - len(change.events) + 1
    return [
        {
            "id": webhooks.event_id(after.run.id, seq),
            "created_at": now,
            "event_type": event.name.value,
            "payload": event.data,
        }
        for seq, event in enumerate(change.events, first)
        if event.name.pausing
    ]
