"""The connections: no more than so many, opened when they are needed, each for one transaction at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from runstead.store.port import Lane, Tx, Unknown
from runstead.store.postgres.address import Address
from runstead.store.postgres.connection import PostgresSession, connect
from runstead.store.postgres.failure import Lost, Overloaded, Rejected
from runstead.store.postgres.lane_semaphore import LaneSemaphore
from runstead.store.postgres.optimistic_table import OptimisticTable
from runstead.store.postgres.runs import PostgresRuns
from runstead.store.postgres.statements import unlocked
from runstead.store.tables.queries import load
from runstead.store.tables.transaction import SqlTx
from runstead.wire.error import Closed

__all__ = ["Connection", "Connections", "collections_on"]

_WRITING = load("postgres")
_READING = unlocked(_WRITING)


class Connection(NamedTuple):
    """A session, with the collections on it."""

    session: PostgresSession
    writing: Tx
    reading: Tx


def collections_on(session: PostgresSession) -> Connection:
    """The collections on an open session."""
    writing, reading = (SqlTx(session, queries, OptimisticTable, PostgresRuns) for queries in (_WRITING, _READING))
    return Connection(session, writing, reading)


class Connections:
    """A pool: up to `maximum` connections for calls and runs, and one more for maintenance.

    (asyncpg's own pool starts a task and sends one more statement for every transaction, to reset what ours never
    change.)
    """

    def __init__(self, address: Address, schema: str, maximum: int, patience: float) -> None:
        self._address = address
        self._schema = schema
        self._maximum = maximum
        self._patience = patience
        self._shared = LaneSemaphore(maximum)
        self._maintenance = LaneSemaphore(1)
        self._idle: list[Connection] = []
        self._used: set[PostgresSession] = set()
        self._closed = False
        self._unknown: dict[str, Unknown] = {}

    @asynccontextmanager
    async def one(self, lane: Lane) -> AsyncIterator[Connection]:
        """A connection, free of transactions. Raises `Failure` when there is none to be had, and `Overloaded` when a
        call has waited too long for its turn.
        """
        semaphore = self._maintenance if lane is Lane.MAINTENANCE else self._shared
        try:
            await semaphore.acquire(lane, self._patience if lane is Lane.CALL else None)
        except TimeoutError:
            raise Overloaded(
                f"all {self._maximum} connections have been in use for {self._patience:g} seconds, and others wait too"
            ) from None
        try:
            async with self._opened_or_reused() as connection:
                yield connection
        finally:
            semaphore.release()

    async def close(self) -> None:
        """Close the idle connections. No transaction begins after that."""
        self._closed = True
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.session.close() for connection in idle))

    def cut(self) -> None:
        """Cut the connections that are in use. No transaction begins after that."""
        self._closed = True
        for session in self._used:
            session.cut()

    @asynccontextmanager
    async def _opened_or_reused(self) -> AsyncIterator[Connection]:
        if self._closed:
            raise Closed(f"the store {self._address} was closed")
        connection = self._reused() or await self._opened()
        session = connection.session
        self._used.add(session)
        try:
            yield connection
        finally:
            self._used.discard(session)
            if session.usable and not self._closed:
                self._idle.append(connection)
            else:
                session.cut()

    def _reused(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.session.usable:
                return connection
        return None

    async def _opened(self) -> Connection:
        try:
            return collections_on(await connect(self._address, self._schema, self._unknown))
        except Rejected as error:
            # It was accepted when the store started: a password or a database that is being changed is an outage, too.
            raise Lost(error) from error
