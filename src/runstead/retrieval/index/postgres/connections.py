"""Connections of the index: a small pool of its own, so that searches and indexing never wait for runs."""

import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import numpy as np

from runstead.retrieval.index.unit_vectors import UnitVectors
from runstead.wire.error import Closed, RunsteadError, Unreachable

__all__ = ["Connections"]

_SETTINGS = {
    "application_name": "runstead index",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "10s",
    "jit": "off",
    # Every statement has its index. The planner guesses how long a term's list is, and must not read the table instead.
    "enable_seqscan": "off",
}
_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_PASSING = (
    asyncpg.PostgresConnectionError,
    asyncpg.InvalidTransactionStateError,
    asyncpg.TransactionRollbackError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InterfaceError,
    OSError,
)
_WAIT = 10.0
"""Seconds to connect, and to wait for a connection."""
_EXTENSION = """
SELECT quote_ident(n.nspname), n.nspname, to_regclass('index_vectors') IS NOT NULL
  FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector'
"""


class Connections:
    """Up to `maximum` connections, opened when they are needed."""

    def __init__(self, url: str, schema: str, maximum: int) -> None:
        self._url = url
        self._schema = schema
        self._maximum = maximum
        self._pool: Any = None
        self._extension = ""

    async def open(self) -> None:
        """Check that the tables are there. Raises `Unreachable`."""
        with _translated("open"):
            connection = await self._connect(self._schema)
            try:
                row = await connection.fetchrow(_EXTENSION)
            finally:
                await connection.close(timeout=_WAIT)
            if row is None or not row[2]:
                raise RunsteadError(f"the schema {self._schema} lacks the tables of the search index: migrate it")
            self._extension = row[1]
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._maximum,
                timeout=_WAIT,
                init=self._prepare,
                reset=_nothing,
                server_settings=_SETTINGS | {"search_path": f"{self._schema}, {row[0]}"},
            )

    async def close(self) -> None:
        """Close all connections after their current work."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    @asynccontextmanager
    async def transaction(self, doing: str, *, reading: bool = False) -> AsyncIterator[Any]:
        """A connection in a transaction, which is committed at the end. One that reads sees one state."""
        if self._pool is None:
            raise Closed("the search index is not open")
        how = {"isolation": "repeatable_read", "readonly": True} if reading else {}
        with _translated(doing):
            async with self._pool.acquire(timeout=_WAIT) as connection, connection.transaction(**how):
                yield connection

    async def _connect(self, search_path: str) -> Any:
        try:
            return await asyncpg.connect(
                self._url, timeout=_WAIT, server_settings=_SETTINGS | {"search_path": search_path}
            )
        except ValueError:  # of the URL, which the error may quote
            raise RunsteadError("the URL of the search index's database is not valid") from None

    async def _prepare(self, connection: Any) -> None:
        await connection.set_type_codec(
            "halfvec", schema=self._extension, encoder=_encoded, decoder=_decoded, format="binary"
        )


async def _nothing(connection: Any) -> None:
    """Between two transactions. They change no settings but their own."""


def _encoded(vector: UnitVectors) -> bytes:
    return struct.pack(">HH", len(vector), 0) + vector.astype(">f2").tobytes()


def _decoded(raw: bytes) -> UnitVectors:
    return np.frombuffer(raw, dtype=">f2", offset=4).astype(np.float16)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """Turns errors of the database into those of the port."""
    try:
        yield
    except _ERRORS as error:
        kind = Unreachable if isinstance(error, _PASSING) else RunsteadError
        raise kind(f"cannot {doing} the search index: {error or type(error).__name__}") from error
