"""The gate of runs on PostgreSQL: a change is one statement."""

from collections.abc import Sequence
from typing import Any

from runstead.domain.run.change import Change
from runstead.store.port import RunRow
from runstead.store.postgres.connection import PostgresSession
from runstead.store.postgres.failure import Overtaken
from runstead.store.tables.chosen_defaults import RUN
from runstead.store.tables.event_rows import pack
from runstead.store.tables.runs import Columns, Parts, SqlRuns, run_columns
from runstead.store.tables.table import NotSingle, Value
from runstead.wire.codec.run_parts import encode_settings

__all__ = ["PostgresRuns"]


class PostgresRuns(SqlRuns):
    """`port.Runs`; rows travel as arrays, one a column."""

    async def _insert(self, row: RunRow, change: Change, messages: Sequence[Columns]) -> bool | None:
        inserted = await self._session.row(
            self._queries["insert"],
            **run_columns(row),
            thread_id=row.run.thread_id,
            created_at=row.run.created_at,
            predecessor=row.predecessor,
            body=RUN.encode(row.run, row.chosen_defaults),
            settings=encode_settings(row.run),
            events=pack(change),
            added_by=None if row.predecessor is None else row.run.id,
            message_ids=_column(messages, "id"),
            message_runs=_column(messages, "run_id"),
            message_times=_column(messages, "created_at"),
            message_bodies=_column(messages, "body"),
        )
        return None if inserted is None else bool(inserted[0])

    async def _update(self, row: RunRow, after: RunRow, body: bytes, change: Change, parts: Parts) -> bool:
        session = self._session
        assert isinstance(session, PostgresSession)
        ends = after.run.status.terminal
        marks = [session.marks.get(message.id) for message in change.messages]
        updated = await session.row(
            self._queries["apply"],
            **run_columns(after),
            version=row.version,
            ready_at=after.ready_at,
            delays=after.delays,
            body=body,
            single=session.single and ends,
            first_event=row.seq + 1,
            events=pack(change),
            **_arrays(parts),
            message_marks=marks,
        )
        if updated is None:
            if session.single and ends:
                raise NotSingle(row.run.id)
            return False
        written = set(updated[0] or ())
        if overtaken := [
            message.id
            for message, mark in zip(change.messages, marks, strict=True)
            if mark is not None and message.id not in written
        ]:
            raise Overtaken(*overtaken)
        for message_id in written:
            session.marks.pop(message_id, None)
        return True

    async def below_limit(self, project: str, most: int, now: int) -> bool:
        await self._session.row(self._queries["lock_project"], project=project)
        return await super().below_limit(project, most, now)

    async def _promote(self, ended: RunRow) -> RunRow | None:
        session = self._session
        assert isinstance(session, PostgresSession)
        # A statement that commits by itself has ended the run only because nothing waits behind it.
        return None if session.single else await super()._promote(ended)


def _arrays(parts: Parts) -> dict[str, Value]:
    return {
        "new_step_ids": _column(parts.new_steps, "id"),
        "new_step_times": _column(parts.new_steps, "created_at"),
        "new_step_bodies": _column(parts.new_steps, "body"),
        "new_step_journals": _column(parts.new_steps, "journal"),
        "step_ids": _column(parts.steps, "id"),
        "step_bodies": _column(parts.steps, "body"),
        "step_journals": _column(parts.steps, "journal"),
        "new_message_ids": _column(parts.new_messages, "id"),
        "new_message_runs": _column(parts.new_messages, "run_id"),
        "new_message_times": _column(parts.new_messages, "created_at"),
        "new_message_bodies": _column(parts.new_messages, "body"),
        "message_ids": _column(parts.messages, "id"),
        "message_bodies": _column(parts.messages, "body"),
        "event_ids": _column(parts.notifications, "id"),
        "event_types": _column(parts.notifications, "event_type"),
        "event_payloads": _column(parts.notifications, "payload"),
        "now": parts.now,
    }


def _column(rows: Sequence[Columns], name: str) -> list[Any]:
    return [row[name] for row in rows]
