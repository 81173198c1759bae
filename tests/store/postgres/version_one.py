"""The code before: a process of version 1 of the schema, by the statements that it had."""

import asyncio
from typing import Any

import asyncpg

from runstead.store.tables.body import encode
from runstead.wire.run import Status
from tests.store.things import MINE, becomes, event, message, run, thread

__all__ = ["VersionOne"]

INSERT_THREAD = "INSERT INTO threads (id, project, created_at, body) VALUES ($1, $2, $3, $4)"
HOLD_THREAD = "SELECT body FROM threads WHERE id = $1 AND project = $2 FOR UPDATE"
INSERT_MESSAGE = """
INSERT INTO messages (id, project, thread_id, run_id, created_at, body) VALUES ($1, $2, $3, $4, $5, $6)
"""
INSERT_RUN = """
INSERT INTO runs (id, project, thread_id, created_at, status, version, last_event, owner, expires_at, body)
VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9)
ON CONFLICT (thread_id) WHERE active DO NOTHING
RETURNING seq
"""
LOAD_RUN = "SELECT body, project, version, last_event, owner FROM runs WHERE id = $1 FOR UPDATE"
MOVE_RUN = """
UPDATE runs
   SET status = $1, version = version + 1, last_event = $2, owner = $3, expires_at = $4, body = $5
 WHERE id = $6 AND version = $7
RETURNING version
"""
APPEND = "INSERT INTO events (run_id, project, first, last, body) VALUES ($1, $2, $3, $4, $5)"
QUEUED = "SELECT id FROM runs WHERE status = 'queued' ORDER BY created_at, seq LIMIT $1"


class VersionOne:
    """One connection of it, which keeps its prepared statements. What fails is raised."""

    def __init__(self, connection: Any, name: str) -> None:
        self._connection = connection
        self._name = name
        self.done = 0
        """Runs that it has made and carried to their end."""
        self.slowest = 0.0
        """Seconds that one of its transactions took."""

    @classmethod
    async def connect(cls, url: str, schema: str, name: str) -> "VersionOne":
        settings = {"search_path": schema, "statement_timeout": "20s"}
        return cls(await asyncpg.connect(url, server_settings=settings), name)

    async def close(self) -> None:
        await self._connection.close()

    async def work(self, enough: asyncio.Event) -> None:
        """Make runs and carry them, one after the other."""
        while not enough.is_set():
            await self.carry(await self.make(f"{self._name}_{self.done}"))
            self.done += 1

    async def make(self, name: str) -> str:
        """A queued run on a thread of its own; its id."""
        new = run(f"run_{name}", thread_id=f"thread_{name}")
        async with self._transaction():
            await self._do(INSERT_THREAD, new.thread_id, MINE, 100, encode(thread(new.thread_id)))
        async with self._transaction():
            assert await self._do(HOLD_THREAD, new.thread_id, MINE)
            said = message(f"msg_{name}", thread_id=new.thread_id)
            await self._do(INSERT_MESSAGE, said.id, MINE, new.thread_id, None, 100, encode(said))
            values = (new.id, MINE, new.thread_id, 100, new.status, 1, None, new.expires_at, encode(new))
            assert await self._do(INSERT_RUN, *values)
            await self._do(APPEND, new.id, MINE, 1, 1, event().data)
        return new.id

    async def carry(self, run_id: str) -> None:
        """Take a run that is queued, and complete it."""
        for status, owner in ((Status.IN_PROGRESS, self._name), (Status.COMPLETED, None)):
            async with self._transaction():
                _, project, version, last, _ = await self._do(LOAD_RUN, run_id)
                moved = becomes(run(run_id, thread_id=run_id.replace("run", "thread")), status)
                values = (status, last + 1, owner, moved.expires_at, encode(moved), run_id, version)
                assert await self._do(MOVE_RUN, *values)
                await self._do(APPEND, run_id, project, last + 1, last + 1, event().data)

    async def queued(self) -> list[str]:
        """The runs that it would take."""
        return [row[0] for row in await self._connection.fetch(QUEUED, 1000)]

    def _transaction(self) -> Any:
        return _Timed(self, self._connection.transaction())

    async def _do(self, statement: str, *values: object) -> Any:
        return await self._connection.fetchrow(statement, *values)


class _Timed:
    def __init__(self, whose: VersionOne, transaction: Any) -> None:
        self._whose = whose
        self._transaction = transaction
        self._clock = asyncio.get_running_loop().time

    async def __aenter__(self) -> None:
        self._began = self._clock()
        await self._transaction.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        await self._transaction.__aexit__(*error)
        self._whose.slowest = max(self._whose.slowest, self._clock() - self._began)
