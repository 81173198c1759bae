"""The store itself: transactions over a few connections."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

from runstead.store.port import Tx
from runstead.store.postgres.address import Address
from runstead.store.postgres.clock import ServerClock
from runstead.store.postgres.connection import connect
from runstead.store.postgres.connections import Connections
from runstead.store.postgres.failure import Failure, Lost, Unsure
from runstead.store.postgres.migrations import migrate
from runstead.store.postgres.outage import Outage
from runstead.store.postgres.presence import present
from runstead.store.postgres.transactions import patiently, run
from runstead.wire.error import Closed, RunsteadError, Unreachable

__all__ = ["PostgresStore"]

T = TypeVar("T")

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class PostgresStore:
    """`port.Store` in one schema of a PostgreSQL database, which any number of processes may use at once.

    Up to `connections` transactions are open at a time, the others wait in order. A server that cannot be reached is
    waited for up to `patience` seconds: a write that was certainly not committed is then done, and not an error.
    """

    def __init__(self, url: str, *, schema: str = "runstead", connections: int = 16, patience: float = 5.0) -> None:
        if not _SCHEMA.fullmatch(schema):
            raise RunsteadError(f"a schema is named in lower case, without quotes, not {schema!r}")
        self._address = Address(url)
        self._outage = Outage(self._address)
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
    async def presence(self, worker: str) -> AsyncIterator[None]:
        async with AsyncExitStack() as session:
            try:
                await session.enter_async_context(present(self._address, self._schema, worker))
            except Failure as error:
                raise self._error("reach", error) from error
            yield

    async def start(self) -> None:
        try:
            await patiently(self._migrate, self._patience, self._outage)
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
        if self._under_way:
            self._quiet.clear()
            await self._quiet.wait()
        await connections.close()

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        return await self._run("read", work, writing=False, single=single)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        return await self._run("write to", work, writing=True, single=single)

    async def _run(self, doing: str, work: Callable[[Tx], Awaitable[T]], *, writing: bool, single: bool) -> T:
        if self._connections is None:
            raise Closed(f"the store {self._address} is not open")
        self._under_way += 1
        try:
            return await run(self._connections, work, self._patience, self._outage, writing=writing, single=single)
        except Failure as error:
            raise self._error(doing, error) from error
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()

    async def _migrate(self) -> None:
        session = await connect(self._address, self._schema, self._patience)
        try:
            await migrate(session, self._schema)
            await self.clock.read(session)
        finally:
            await session.close()

    def _error(self, doing: str, error: Failure) -> RunsteadError:
        kind = Unreachable if isinstance(error, Lost | Unsure) else RunsteadError
        return kind(f"cannot {doing} {self._address}: {self._address.clean(error)}")
