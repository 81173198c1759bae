"""The connections: no more than so many, opened when they are needed, each for one transaction at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from runstead.store.port import Tx, Unknown
from runstead.store.postgres.address import Address
from runstead.store.postgres.connection import PostgresSession, connect
from runstead.store.postgres.optimistic_table import OptimisticTable
from runstead.store.postgres.runs import PostgresRuns
from runstead.store.postgres.statements import unlocked
from runstead.store.tables.queries import load
from runstead.store.tables.transaction import SqlTx

__all__ = ["Connection", "Connections"]

_WRITING = load("postgres")
_READING = unlocked(_WRITING)


class Connection(NamedTuple):
    """A session, with the collections on it."""

    session: PostgresSession
    writing: Tx
    reading: Tx


class Connections:
    """A pool. Transactions get connections in the order of asking. (asyncpg's own pool starts a task and sends one more
    statement for every transaction, to reset what ours never change.)
    """

    def __init__(self, address: Address, schema: str, most: int, patience: float) -> None:
        self._address = address
        self._schema = schema
        self._patience = patience
        self._room = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        self._unknown: dict[str, Unknown] = {}

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """A connection, free of transactions. Raises `Failure` when there is none to be had."""
        async with self._room:
            connection = self._reused() or await self._opened()
            try:
                yield connection
            finally:
                if connection.session.usable:
                    self._idle.append(connection)
                else:
                    connection.session.cut()

    async def close(self) -> None:
        """Close those that are idle."""
        while self._idle:
            await self._idle.pop().session.close()

    def _reused(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.session.usable:
                return connection
        return None

    async def _opened(self) -> Connection:
        session = await connect(self._address, self._schema, self._patience, self._unknown)
        writing, reading = (SqlTx(session, queries, OptimisticTable, PostgresRuns) for queries in (_WRITING, _READING))
        return Connection(session, writing, reading)
