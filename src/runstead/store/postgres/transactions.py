"""Transactions, run again when that is all it takes."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import NamedTuple, TypeVar

from runstead.store.outage import Outage
from runstead.store.port import Lane, Tx
from runstead.store.postgres.connections import Connection, Connections
from runstead.store.postgres.failure import Lost, Overloaded, Overtaken, Rejected, Unsure, is_read_only
from runstead.store.tables.table import NotSingle

__all__ = ["patiently", "run"]

T = TypeVar("T")

_WRITE = "ISOLATION LEVEL READ COMMITTED READ WRITE"
_READ = "ISOLATION LEVEL REPEATABLE READ READ ONLY"
_LONGEST = 30.0
"""Seconds that a transaction may take once it has a connection, waiting for locks included."""
_MAX_ATTEMPTS = 20
"""How often a work may be overtaken. From the second try on it locks what it reads, so once is usual."""
_PAUSE = 0.1
"""Seconds, about, between two tries to reach the server."""

_inside: ContextVar[bool] = ContextVar("inside a transaction", default=False)


async def run(
    connections: Connections,
    work: Callable[[Tx], Awaitable[T]],
    patience: float,
    outage: Outage,
    *,
    writing: bool,
    single: bool = False,
    lane: Lane = Lane.CALL,
) -> T:
    """The result of the work, once it is committed. Raises the errors of the work, or `Failure`.

    A `single` work is first run without a transaction around it.
    """
    if _inside.get():
        raise RuntimeError(f"a transaction may await nothing but the methods of its tx: {work!r} is inside another one")
    locking = False

    async def once() -> T:
        async with connections.one(lane) as connection:
            return await _limited(connection, work, _How(writing, locking, single))

    for _ in range(_MAX_ATTEMPTS - 1):
        try:
            return await patiently(once, patience, outage)
        except NotSingle:
            single = False
        except Overtaken:
            locking, single = True, False
    return await patiently(once, patience, outage)


class _How(NamedTuple):
    """How a work is run."""

    writing: bool
    locking: bool
    single: bool


async def patiently(attempt: Callable[[], Awaitable[T]], patience: float, outage: Outage) -> T:
    """The result of the attempt. While the server cannot be reached, it is retried for a number of seconds.

    They count from the first loss; time spent waiting for a connection before does not count.
    """
    clock = asyncio.get_running_loop().time
    lost: float | None = None
    while True:
        try:
            done = await attempt()
        except Lost as error:
            if lost is None:  # perhaps only this connection was idle for too long
                lost = clock()
                continue
            outage.begin(error)
            if clock() - lost >= patience:
                raise
            await asyncio.sleep(random.uniform(0.5, 1.5) * _PAUSE)  # noqa: S311 - so that not all try at once
        else:
            outage.end()
            return done


async def _limited(connection: Connection, work: Callable[[Tx], Awaitable[T]], how: _How) -> T:
    limit = asyncio.timeout(_LONGEST)
    once = _single if how.single and connection.session.fresh else _once
    try:
        async with limit:
            return await once(connection, work, how)
    except Rejected as error:
        if not (how.writing and is_read_only(error)):
            raise
        # The server was demoted. A new connection finds its successor, if the address names several servers.
        connection.session.cut()
        raise Lost(error) from error
    except TimeoutError as error:
        if not limit.expired():  # it is the work's own
            raise
        if not how.writing:
            raise Overloaded(f"it took longer than {_LONGEST:.0f} seconds") from error
        raise Unsure(f"it took longer than {_LONGEST:.0f} seconds, so it may be done or not") from error


async def _single(connection: Connection, work: Callable[[Tx], Awaitable[T]], how: _How) -> T:
    """Run a work whose one statement is a transaction by itself."""
    session = connection.session
    session.begin_single(writing=how.writing)
    try:
        return await _inside_of(connection, work, how)
    except Lost as error:
        if how.writing:
            raise Unsure("the connection was lost during a statement that commits, so it may be done or not") from error
        raise
    except Exception:
        raise
    except BaseException:
        await session.undo()  # until the statement is over, the connection is of no use
        raise


async def _once(connection: Connection, work: Callable[[Tx], Awaitable[T]], how: _How) -> T:
    session = connection.session
    try:
        await session.begin(_WRITE if how.writing else _READ, locking=how.locking)
        result = await _inside_of(connection, work, how)
    except BaseException:
        await session.undo()
        raise
    try:
        await session.commit()
    except Lost as error:
        if how.writing:
            raise Unsure("the connection was lost during the commit, so it may be done or not") from error
        raise
    return result


async def _inside_of(connection: Connection, work: Callable[[Tx], Awaitable[T]], how: _How) -> T:
    before = _inside.set(True)
    try:
        return await work(connection.writing if how.writing else connection.reading)
    finally:
        _inside.reset(before)
