"""Presence: a session that holds a worker's advisory lock, so the server detects that the worker's process has ended.

The kernel closes the session of a process that is killed, and the server frees the lock at once. A process that stands
still keeps the lock: only its lease shows that. The lease is renewed on this session, so that no number of runs and no
transaction that hangs can delay it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

from runstead.store.outage import Outage
from runstead.store.port import Tx
from runstead.store.postgres.address import Address
from runstead.store.postgres.connection import PostgresSession, connect
from runstead.store.postgres.connections import collections_on
from runstead.store.postgres.failure import Failure, Lost
from runstead.wire.error import RunsteadError

__all__ = ["HeldPresence"]

T = TypeVar("T")

_log = logging.getLogger("runstead.store")

_LOCK = "SELECT pg_advisory_lock(hashtextextended(current_schema() || '.' || :name, 0))"
_RETURNED = "UPDATE workers SET returned = clock_timestamp() WHERE name = :name"
_CHECK = 2.0
"""Seconds between two checks that the server still answers: a network may drop a connection silently."""
_PATIENCE = 5.0
"""Seconds that it has to answer."""
_PAUSE = 0.1
"""Seconds between two tries to open the session again."""


class HeldPresence:
    """`port.Presence`. While inside, the worker's lock is held; a session that is lost is opened again.

    Entering raises `Failure` when there is no session to be had.
    """

    def __init__(
        self,
        address: Address,
        schema: str,
        worker: str,
        outage: Outage,
        error: Callable[[str, Failure], RunsteadError],
    ) -> None:
        self._address = address
        self._schema = schema
        self._worker = worker
        self._outage = outage
        self._error = error
        self._session: PostgresSession | None = None
        self._statement = asyncio.Lock()
        """A session makes one statement at a time. Held, too, while there is no session."""
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._session = await self._opened(_LOCK)
        # Not in a task group: it would wrap the exceptions of the body, and the worker may leave from another task.
        self._keeping = asyncio.create_task(self._keep())  # noqa: TID251 - ended in `__aexit__`
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._keeping is not None
        self._keeping.cancel()
        await asyncio.wait([self._keeping])
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        async with self._statement:
            try:
                return await work(self._single(self._session))
            except Failure as failure:
                raise self._error("write to", failure) from failure

    def _single(self, session: PostgresSession | None) -> Tx:
        if session is None:
            raise Lost("the worker's session is closed")
        session.begin_single(writing=True)
        return collections_on(session).writing

    async def _keep(self) -> None:
        while self._session is not None:
            await self._until_lost(self._session)
            async with self._statement:
                self._session.cut()
                _log.info(
                    "the session of a worker is lost, opening another one: worker=%s",
                    self._worker,
                )
                self._session = None
                self._session = await self._again()

    async def _until_lost(self, session: PostgresSession) -> None:
        try:
            while not await session.closed(_CHECK):
                async with self._statement, asyncio.timeout(_PATIENCE):
                    await session.script("SELECT 1")
        except (Failure, TimeoutError):
            pass  # the session is lost

    async def _again(self) -> PostgresSession:
        while True:
            try:
                session = await self._opened(_LOCK, _RETURNED)
            except Failure as error:
                self._outage.begin(error)
            else:
                self._outage.end()
                return session
            await asyncio.sleep(_PAUSE)

    async def _opened(self, *statements: str) -> PostgresSession:
        session = await connect(self._address, self._schema)
        try:
            for statement in statements:
                # The lock is taken until the server notices that the previous session is closed.
                await session.row(statement, name=self._worker)
        except BaseException:
            session.cut()
            raise
        return session
