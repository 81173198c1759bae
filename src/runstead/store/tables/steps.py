"""The table of steps: the wire's step in `body`, and the rest of its journal in `journal`."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from runstead.domain.run import usage
from runstead.domain.run.journal import StepRow, decode_journal, encode_journal
from runstead.store.tables.body import unknown_in, with_unknown
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Session, Table, Value, remember
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Usage
from runstead.wire.run_step import RunStep

__all__ = ["SqlSteps"]


class _Spent(Struct):
    """The part of a step that is added up."""

    usage: Usage | None = None


_decode = msgspec.json.Decoder(_Spent).decode


class SqlSteps:
    """`port.Steps`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["steps"]
        self._table = Table(session, queries["steps"], RunStep)

    async def get(self, project: str, run_id: str, step_id: str) -> RunStep | None:
        return await self._table.get(project=project, run_id=run_id, id=step_id)

    async def insert(self, project: str, row: StepRow) -> None:
        await self.insert_columns(project, self.columns(row))

    async def replace(self, project: str, row: StepRow) -> bool:
        return await self._session.row(self._queries["replace"], project=project, **self.columns(row)) is not None

    async def insert_columns(self, project: str, columns: Mapping[str, Value]) -> None:
        """Add a step, as its columns."""
        await self._session.execute(self._queries["insert"], project=project, **columns)

    async def replace_columns(self, project: str, columns: Mapping[str, Value]) -> None:
        """Write a step back, as its columns."""
        await self._session.execute(self._queries["replace"], project=project, **columns)

    def columns(self, row: StepRow) -> Mapping[str, Value]:
        """A step as its columns, but for the project."""
        step, journal = row.step, encode_journal(row)
        if journal is not None:
            journal = with_unknown(journal, self._session.unknown.get(_journal_of(row)))
        return {
            "id": step.id,
            "run_id": step.run_id,
            "created_at": step.created_at,
            "body": self._table.body(step),
            "journal": journal,
        }

    async def page(self, project: str, run_id: str, query: ListQuery) -> Page[RunStep] | None:
        return await self._table.page(query, project=project, run_id=run_id)

    async def newest(self, run_id: str, limit: int) -> list[StepRow]:
        rows = await self._session.rows(self._queries["newest"], run_id=run_id, limit=limit)
        return [self._row(body, journal) for body, journal in rows]

    async def spent(self, run_id: str) -> Usage:
        spent = usage.NONE
        for (body,) in await self._session.rows(self._queries["spent"], run_id=run_id):
            spent = usage.add(spent, _decode(body).usage or usage.NONE)
        return spent

    async def of_run(self, run_id: str) -> list[StepRow]:
        rows = await self._session.rows(self._queries["of_run"], run_id=run_id)
        return [self._row(body, journal) for body, journal in rows]

    def _row(self, body: bytes, journal: bytes | None) -> StepRow:
        row = decode_journal(self._table.read(body), journal)
        known = encode_journal(row)
        unknown = None if journal is None or known is None else unknown_in(journal, known)
        remember(self._session, _journal_of(row), unknown)
        return row


def _journal_of(row: StepRow) -> str:
    """How the unknown fields of a step's journal are remembered."""
    return f"journal of {row.id}"
