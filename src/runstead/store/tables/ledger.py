"""Everything that is stored of runs, in the order of the runs' ids, for the consistency check."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from runstead.domain.invariants.record import EventBatch, LedgerPage, RunRecord, Violation
from runstead.domain.run.journal import decode_journal
from runstead.store.tables.body import Body
from runstead.store.tables.event_rows import complete, incomplete, unpack
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Row, Session
from runstead.wire.codec.response import read_event
from runstead.wire.codec.run_parts import Settings, joined
from runstead.wire.event import EVENT_DATA, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep

__all__ = ["SqlLedger"]

OfRuns: TypeAlias = dict[str, list[Row]]
"""Rows by the run that they belong to; the first column of each tells it from the others."""

_KINDS = {"events": "event batch", "steps": "step", "messages": "message", "waiting": "waiting message"}
_decode_run = Body(Run).decode
_decode_step = Body(RunStep).decode
_decode_message = Body(Message).decode
_ABOVE_ALL = "\U0010ffff"


class SqlLedger:
    """`port.Ledger`, in SQL. What belongs to runs is read by ranges of their ids, so what belongs to none is seen."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["ledger"]

    async def page(self, after: str, limit: int) -> LedgerPage:
        runs = await self._session.rows(self._queries["runs"], after=after, limit=limit)
        last = runs[-1][0] if len(runs) == limit else None
        parts = {kind: await self._of_runs(kind, after, last or _ABOVE_ALL) for kind in _KINDS}
        records, violations = list[RunRecord](), list[Violation]()
        for row in runs:
            of_run = {kind: rows.pop(row[0], []) for kind, rows in parts.items()}
            if row[-1]:
                continue  # its thread is deleted, and what belongs to it is being removed
            try:
                records.append(_record(row, of_run))
            except (ValueError, RecursionError) as error:
                violations.append(Violation(row[0], f"its row cannot be read: {error}"))
        return LedgerPage(records, [*violations, *_strays(parts)], last)

    async def _of_runs(self, kind: str, after: str, upto: str) -> OfRuns:
        found: OfRuns = defaultdict(list)
        for run_id, *rest in await self._session.rows(self._queries[kind], after=after, upto=upto):
            found[run_id].append(tuple(rest))
        return found


def _record(row: Row, parts: dict[str, list[Row]]) -> RunRecord:
    (
        _, body, fixed, project, last_event, status, deadline, owner, behind, ahead, has_thread, owner_lives, rival,
        between, _,
    ) = row  # fmt: skip
    whole = Settings(fixed or body)
    bodies = {id: body for kind in ("steps", "messages") for id, _, body, *_ in parts[kind]}
    return RunRecord(
        run=_decode_run(joined(fixed, body)),
        project=project,
        last_event=last_event,
        status=status,
        deadline=deadline,
        has_thread=bool(has_thread),
        other_active_run=rival,
        owner=owner,
        owner_alive=bool(owner_lives),
        predecessor=behind,
        predecessor_status=ahead,
        event_batches=[_batch(first, last, body, whole, bodies) for first, _, last, body in parts["events"]],
        steps=[decode_journal(_decode_step(body), journal) for _, _, body, journal in parts["steps"]],
        messages=[_decode_message(body) for _, _, body in parts["messages"]],
        message_between=between,
        waiting_messages=[id for (id,) in parts["waiting"]],
        in_other_project=[
            id for kind in ("steps", "messages") for id, kept_for, *_ in parts[kind] if kept_for != project
        ],
    )


def _batch(first: int, last: int, body: bytes, settings: Settings, bodies: Mapping[str, bytes]) -> EventBatch:
    return EventBatch(first, last, [read_event(_whole(event, settings, bodies)) for event in unpack(first, body)])


def _whole(event: RawEvent, settings: Settings, bodies: Mapping[str, bytes]) -> RawEvent:
    """The event as its reader sees it."""
    if EVENT_DATA.get(event.name) is Run:
        return event._replace(data=settings.whole(event.data))
    id = incomplete(event)
    return event if id is None else complete(event, bodies.get(id))


def _strays(parts: dict[str, OfRuns]) -> Sequence[Violation]:
    return [
        Violation(run_id, f"there is no such run, and {_KINDS[kind]} {row[0]} belongs to it")
        for kind, of_runs in parts.items()
        for run_id, rows in of_runs.items()
        for row in rows
    ]
