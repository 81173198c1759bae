"""The collections that are plain tables: assistants, threads, messages and steps."""

from collections.abc import Sequence
from typing import Any

import msgspec

from runstead.domain.run.journal import StepRow, decode_journal, encode_journal
from runstead.store.port import RunRow
from runstead.store.tables.pagination import HIGHEST, LOWEST
from runstead.store.tables.queries import Queries
from runstead.store.tables.session import Session
from runstead.store.tables.table import Table, encode
from runstead.wire.assistant import Assistant
from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page
from runstead.wire.run_step import RunStep
from runstead.wire.thread import Thread

__all__ = ["SqlAssistants", "SqlMessages", "SqlSteps", "SqlThreads"]

_decode_message = msgspec.json.Decoder(Message).decode
_decode_step = msgspec.json.Decoder(RunStep).decode

_WAITING = 2**61
"""The place in the list of messages that wait: behind those of any time."""


class SqlAssistants:
    """`port.Assistants`, in SQL."""

    def __init__(self, session: Session, queries: Queries, table: type[Table[Any]] = Table) -> None:
        self._table: Table[Assistant] = table(session, queries["assistants"], Assistant)

    async def get(self, project: str, assistant_id: str) -> Assistant | None:
        return await self._table.get(project=project, id=assistant_id)

    async def insert(self, project: str, assistant: Assistant) -> None:
        await self._table.insert(assistant, project=project)

    async def replace(self, project: str, assistant: Assistant) -> bool:
        return await self._table.replace(assistant, project=project)

    async def delete(self, project: str, assistant_id: str) -> bool:
        return await self._table.delete(project=project, id=assistant_id)

    async def page(self, project: str, query: ListQuery) -> Page[Assistant] | None:
        return await self._table.page(query, project=project)


class SqlThreads:
    """`port.Threads`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["threads"]
        self._table = Table(session, queries["threads"], Thread)

    async def get(self, project: str, thread_id: str) -> Thread | None:
        return await self._table.get(project=project, id=thread_id)

    async def insert(self, project: str, thread: Thread) -> None:
        await self._table.insert(thread, project=project)

    async def replace(self, project: str, thread: Thread) -> bool:
        return await self._table.replace(thread, project=project)

    async def delete(self, project: str, thread_id: str) -> bool:
        if not await self._table.delete(project=project, id=thread_id):
            return False
        # Who writes for a run holds it: nothing is added once the runs are held. They go last: what they have is found
        # by them.
        await self._session.rows(self._queries["hold_runs"], thread_id=thread_id)
        for part in ("delete_messages", "delete_steps", "delete_events", "delete_runs"):
            await self._session.execute(self._queries[part], thread_id=thread_id)
        return True

    async def page(self, project: str, query: ListQuery) -> Page[Thread] | None:
        return await self._table.page(query, project=project)


class SqlMessages:
    """`port.Messages`, in SQL."""

    def __init__(self, session: Session, queries: Queries, table: type[Table[Any]] = Table) -> None:
        self._session = session
        self._queries = queries["messages"]
        self._table: Table[Message] = table(session, queries["messages"], Message)

    async def get(self, project: str, thread_id: str, message_id: str) -> Message | None:
        return await self._table.get(project=project, thread_id=thread_id, id=message_id)

    async def insert(
        self, project: str, messages: Sequence[Message], predecessor: str | None = None, added_by: str | None = None
    ) -> None:
        await self._add(project, messages, 0 if predecessor is None else _WAITING, predecessor, added_by)

    async def _add(
        self,
        project: str,
        messages: Sequence[Message],
        place: int,
        predecessor: str | None = None,
        added_by: str | None = None,
    ) -> None:
        """Insert messages, none before the `place`."""
        await self._session.execute_many(
            self._queries["insert"],
            [
                {
                    "id": message.id,
                    "project": project,
                    "thread_id": message.thread_id,
                    "run_id": message.run_id,
                    "created_at": max(message.created_at, place),
                    "predecessor": predecessor,
                    "added_by": added_by,
                    "body": encode(message),
                }
                for message in messages
            ],
        )

    async def promote_waiting(self, ended: RunRow) -> None:
        run, project = ended.run, ended.project
        if ended.predecessor is not None:
            await self._session.execute(self._queries["pass_on"], run_id=run.id, predecessor=ended.predecessor)
            return
        # Written anew, so that they stand behind everything that came meanwhile.
        waiting = sorted(
            await self._session.rows(self._queries["remove_waiting"], run_id=run.id), key=lambda row: row[0]
        )
        if waiting:
            end = await self._session.row(self._queries["end"], project=project, thread_id=run.thread_id)
            await self._add(project, [_decode_message(body) for _, body in waiting], 0 if end is None else end[0])

    async def replace(self, project: str, message: Message) -> bool:
        return await self._table.replace(message, project=project, thread_id=message.thread_id)

    async def delete(self, project: str, thread_id: str, message_id: str) -> bool:
        return await self._table.delete(project=project, thread_id=thread_id, id=message_id)

    async def page(
        self, project: str, thread_id: str, query: ListQuery, run_id: str | None = None
    ) -> Page[Message] | None:
        if run_id is None:
            return await self._table.page(query, project=project, thread_id=thread_id)
        return await self._table.page(query, "run_page", project=project, thread_id=thread_id, run_id=run_id)

    async def newest(self, project: str, thread_id: str, limit: int, before: str | None = None) -> list[Message]:
        high = HIGHEST
        if before is not None:
            place = await self._table.place(before, project=project, thread_id=thread_id)
            if place is None:
                return []
            high = place
        return await self._table.between(LOWEST, high, limit, "newest", project=project, thread_id=thread_id)


class SqlSteps:
    """`port.Steps`, in SQL."""

    def __init__(self, session: Session, queries: Queries) -> None:
        self._session = session
        self._queries = queries["steps"]
        self._table = Table(session, queries["steps"], RunStep)

    async def get(self, project: str, run_id: str, step_id: str) -> RunStep | None:
        return await self._table.get(project=project, run_id=run_id, id=step_id)

    async def insert(self, project: str, row: StepRow) -> None:
        step = row.step
        await self._table.insert(step, project=project, run_id=step.run_id, journal=encode_journal(row))

    async def replace(self, project: str, row: StepRow) -> bool:
        step = row.step
        return await self._table.replace(step, project=project, run_id=step.run_id, journal=encode_journal(row))

    async def page(self, project: str, run_id: str, query: ListQuery) -> Page[RunStep] | None:
        return await self._table.page(query, project=project, run_id=run_id)

    async def of_run(self, run_id: str) -> list[StepRow]:
        rows = await self._session.rows(self._queries["of_run"], run_id=run_id)
        return [decode_journal(_decode_step(body), journal) for body, journal in rows]
