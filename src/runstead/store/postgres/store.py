"""The store itself: transactions over a few connections."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TypeVar

from runstead.store.port import Lane, Presence, Tx
from runstead.store.postgres.address import Address
from runstead.store.postgres.clock import ServerClock
from runstead.store.postgres.connection import connect
from runstead.store.postgres.connections import Connections
from runstead.store.postgres.failure import Failure, Full, Lost, Overloaded, Unsure
from runstead.store.postgres.migrations import migrate
from runstead.store.postgres.outages import full, unreachable
from runstead.store.postgres.presence import HeldPresence
from runstead.store.postgres.transactions import patiently, run
from runstead.wire.error import Closed, RunsteadError, Unconfirmed, Unreachable

__all__ = ["PostgresStore"]

T = TypeVar("T")

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LAST_SECONDS = 3.0
"""Seconds that the transactions under way get to end when the store stops. Then their connections are cut."""
_CHECK = "SELECT pg_logical_emit_message(true, 'runstead', '')"
"""Commits a record of the write-ahead log that readers ignore. A standby, or a full disk of the log, refuses it."""


class PostgresStore:
    """`port.Store` in one schema of a PostgreSQL database, which any number of processes may use at once.

    Up to `connections` transactions are open at a time, the others wait for their turn: a call for `patience` seconds,
    a run as long as it takes. A server that cannot be reached is waited for up to `patience` seconds: a write that was
    certainly not committed is then done, and not an error.
    """

    def __init__(self, url: str, *, schema: str = "runstead", connections: int = 16, patience: float = 5.0) -> None:
        if not _SCHEMA.fullmatch(schema):
            raise RunsteadError(f"a schema is named in lower case, without quotes, not {schema!r}")
        self._address = Address(url)
        self._unreachable = unreachable(self._address)
        self._full = full(self._address)
        self._schema = schema
        self._most = connections
        self._patience = patience
        self._connections: Connections | None = None
        self.clock = ServerClock()
        """The server's clock: the time of all processes that share the store."""
        self._keeping_time: asyncio.Task[None] | None = None
        self._under_way = 0
        self._quiet = asyncio.Event()

    def __repr__(self) -> str:
        return f"PostgresStore({str(self._address)!r}, schema={self._schema!r})"

    @property
    def shared(self) -> bool:
        return True

    @asynccontextmanager
    async def presence(self, worker: str) -> AsyncIterator[Presence]:
        async with AsyncExitStack() as stack:
            presence = HeldPresence(self._address, self._schema, worker, self._unreachable, self._error)
            try:
                await stack.enter_async_context(presence)
            except Failure as error:
                raise self._error("reach", error) from error
            yield presence

    async def start(self) -> None:
        try:
            await patiently(self._migrate, self._patience, self._unreachable)
        except Failure as error:
            raise self._error("open", error) from error
        self._connections = Connections(self._address, self._schema, self._most, self._patience)
        self._keeping_time = asyncio.create_task(self.clock.keep(self._connections))  # noqa: TID251 - ended by `stop`

    async def stop(self) -> None:
        connections, self._connections = self._connections, None  # from here on no transaction begins
        if connections is None:
            return
        if self._keeping_time is not None:
            self._keeping_time.cancel()
            await asyncio.wait([self._keeping_time])
        if not await self._quiet_within(_LAST_SECONDS):
            connections.cut()
            await self._quiet_within(_LAST_SECONDS)
        await connections.close()

    async def check(self) -> None:
        connections = self._open_connections

        async def once() -> None:
            async with connections.one(Lane.CALL) as connection:
                await connection.session.script(_CHECK)

        try:
            await patiently(once, 0, self._unreachable)
        except Failure as error:
            raise self._error("write to", error) from error

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self._run("read", work, writing=False, single=single, lane=lane)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self._run("write to", work, writing=True, single=single, lane=lane)

    async def _run(
        self, doing: str, work: Callable[[Tx], Awaitable[T]], *, writing: bool, single: bool, lane: Lane
    ) -> T:
        connections = self._open_connections
        self._under_way += 1
        try:
            done = await run(
                connections, work, self._patience, self._unreachable, writing=writing, single=single, lane=lane
            )
        except Failure as error:
            raise self._error(doing, error) from error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()
        if writing:
            self._full.end()
        return done

    @property
    def _open_connections(self) -> Connections:
        if self._connections is None:
            raise Closed(f"the store {self._address} is not open")
        return self._connections

    async def _quiet_within(self, seconds: float) -> bool:
        """Whether all transactions under way end within so many seconds."""
        self._quiet.clear()
        if self._under_way:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._quiet.wait()
        return not self._under_way

    async def _migrate(self) -> None:
        session = await connect(self._address, self._schema)
        try:
            await migrate(session, self._schema)
            await self.clock.read(session)
        finally:
            await session.close()

    def _error(self, doing: str, error: Failure) -> RunsteadError:
        if isinstance(error, Full):
            self._full.begin(error)
        kind = RunsteadError
        if isinstance(error, Unsure):
            kind = Unconfirmed
        elif isinstance(error, Lost | Overloaded):
            kind = Unreachable
        return kind(f"cannot {doing} {self._address}: {self._address.clean(error)}")
