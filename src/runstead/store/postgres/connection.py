"""A connection, and the session on it that the collections speak to."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Any

import asyncpg

from runstead.store.port import Unknown
from runstead.store.postgres.address import Address
from runstead.store.postgres.failure import DATABASE_ERRORS, Rejected, failure
from runstead.store.postgres.statements import Statement, statement
from runstead.store.tables.table import NotSingle, Row, Value

__all__ = ["PostgresSession", "connect"]

_CONNECT = 5.0
"""Seconds that the server has to accept a connection."""
_CLOSE_TIMEOUT = 2.0
"""Seconds that the server has to undo a transaction, or to close, before the connection is cut."""

_STATEMENTS = 256
"""Prepared statements kept: more than there are."""

_FRESH = 1.0
"""Seconds for which a connection that was in use is trusted to be there."""

_SETTINGS = {
    "application_name": "runstead",
    "statement_timeout": "20s",
    # A process that stands still must not stop the others: its locks are released long before a transaction that waits
    # for them would cost a lease.
    "idle_in_transaction_session_timeout": "3s",
    # A machine that vanished is noticed in half a minute.
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "jit": "off",
    # Every statement has its index. The planner guesses sizes, and must not find otherwise for a table that grows.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
}

_WITHIN = """
SELECT :columns, found
  FROM (SELECT :columns, row_number() OVER () AS number, count(*) OVER () AS found,
               sum(:length) OVER (ROWS UNBOUNDED PRECEDING) AS size
          FROM (:statement) AS listed) AS measured
 WHERE number = 1 OR size <= :size
"""

_DURABLE = """
SELECT set_config('synchronous_commit', 'on', false)
 WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
"""


async def connect(address: Address, schema: str, unknown: dict[str, Unknown] | None = None) -> "PostgresSession":
    """Open a connection on which a commit is on disk. Raises `Failure`."""
    try:
        connection = await asyncpg.connect(
            address.url,
            timeout=_CONNECT,
            server_settings=_SETTINGS | {"search_path": schema},
            statement_cache_size=_STATEMENTS,
            max_cached_statement_lifetime=0,
        )
    except ValueError as error:  # of the URL, so it may quote it
        raise Rejected(address.clean(error)) from None
    except DATABASE_ERRORS as error:
        raise failure(error) from error
    session = PostgresSession(connection, {} if unknown is None else unknown)
    try:
        await session.script(_DURABLE)
    except BaseException:
        session.cut()
        raise
    return session


class PostgresSession:
    """`table.Session` on a connection, and its transactions, one after the other."""

    def __init__(self, connection: Any, unknown: dict[str, Unknown]) -> None:
        self._connection = connection
        self._translated = _Translated(connection)
        self._statements = 0
        self._writing = False
        self._used = 0.0
        """When a statement was last answered, by the loop's clock."""
        self.unknown = unknown
        self.marks: dict[str, int] = {}
        """The state of each guarded row that this transaction has read."""
        self.locking = False
        """Whether this transaction locks what it reads, because it was overtaken before."""
        self.single = False
        """The work makes one statement, which the database commits by itself."""

    @property
    def usable(self) -> bool:
        """It is open, and nothing is left over from the last transaction."""
        return not (self._connection.is_closed() or self._connection.is_in_transaction())

    async def closed(self, seconds: float) -> bool:
        """Whether the connection is closed, or is within so many seconds."""
        closed = asyncio.Event()

        def lost(_: object) -> None:
            closed.set()

        self._connection.add_termination_listener(lost)
        try:
            async with asyncio.timeout(0 if self._connection.is_closed() else seconds):
                await closed.wait()
        except TimeoutError:
            pass
        finally:
            self._connection.remove_termination_listener(lost)
        return bool(self._connection.is_closed())

    @property
    def fresh(self) -> bool:
        """It was in use a moment ago. One that lay idle may be dead: that is better found out by a BEGIN."""
        return asyncio.get_running_loop().time() - self._used < _FRESH

    def begin_single(self, *, writing: bool) -> None:
        """No transaction: the next statement is the only one. A second one is `NotSingle` where the first only read,
        and a `RuntimeError` where it may have written.
        """
        self.marks.clear()
        self.locking, self.single, self._writing, self._statements = False, True, writing, 0

    async def begin(self, how: str, *, locking: bool) -> None:
        self.marks.clear()
        self.locking, self.single = locking, False
        await self.script(f"BEGIN {how}")

    async def commit(self) -> None:
        """Commit. After `Lost` it is unknown whether it is done."""
        if await self.script("COMMIT") != "COMMIT":
            raise Rejected("a statement had failed")

    async def undo(self) -> None:
        """Roll back; a connection that cannot is cut, which does the same."""
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                # Even if BEGIN was cancelled: the server may have carried it out all the same.
                await self._connection.execute("ROLLBACK")
        except DATABASE_ERRORS:
            self.cut()
        finally:
            if not self.usable:
                self.cut()

    async def close(self) -> None:
        """Close in order."""
        with suppress(*DATABASE_ERRORS):
            await self._connection.close(timeout=_CLOSE_TIMEOUT)

    def cut(self) -> None:
        """Close at once."""
        self._connection.terminate()

    async def script(self, sql: str) -> str:
        """Run statements without values; what the last one did."""
        with self._translated:
            did: str = await self._connection.execute(sql)
        self._answered()
        return did

    async def row(self, sql: str, **values: Value) -> Row | None:
        text, names = self._next(sql)
        with self._translated:
            row: Row | None = await self._connection.fetchrow(text, *[values[name] for name in names])
        self._answered()
        return row

    async def rows(self, sql: str, **values: Value) -> list[Row]:
        text, names = self._next(sql)
        with self._translated:
            rows: list[Row] = await self._connection.fetch(text, *[values[name] for name in names])
        self._answered()
        return rows

    async def rows_within(
        self, sql: str, columns: tuple[str, ...], size: int, **values: Value
    ) -> tuple[list[Row], bool]:
        rows = await self.rows(_within(sql, columns), size=size, **values)
        return [row[:-1] for row in rows], bool(rows) and rows[0][-1] > len(rows)

    async def execute(self, sql: str, **values: Value) -> None:
        text, names = self._next(sql)
        with self._translated:
            await self._connection.execute(text, *[values[name] for name in names])
        self._answered()

    async def execute_many(self, sql: str, rows: Iterable[Mapping[str, Value]]) -> None:
        text, names = self._next(sql)
        with self._translated:
            await self._connection.executemany(text, [[row[name] for name in names] for row in rows])
        self._answered()

    def _next(self, sql: str) -> Statement:
        self._statements += 1
        if self.single and self._statements > 1:
            raise RuntimeError("a single write makes one statement") if self._writing else NotSingle(sql)
        return statement(sql)

    def _answered(self) -> None:
        self._used = asyncio.get_running_loop().time()


@cache
def _within(sql: str, columns: tuple[str, ...]) -> str:
    """The statement for the first rows of another one that have `:size` bytes together, and the number of all its rows.

    The length of a column is known without reading it.
    """
    length = " + ".join(f"coalesce(length({column}), 0)" for column in columns)
    given = _WITHIN.replace(":columns", ", ".join(columns)).replace(":length", length)
    return given.replace(":statement", sql.removesuffix(";"))


class _Translated:
    """Turns the database's errors into `Failure`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DATABASE_ERRORS):
            raise failure(error, closed=self._connection.is_closed()) from error
