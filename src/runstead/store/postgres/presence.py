"""Presence: a session that holds a worker's advisory lock, so the server sees whether the worker's process lives.

The kernel closes the session of a process that is killed, and the server frees the lock at once. A process that stands
still keeps the lock: only its lease shows that.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runstead.store.postgres.address import Address
from runstead.store.postgres.connection import PostgresSession, connect
from runstead.store.postgres.failure import Failure

__all__ = ["present"]

_log = logging.getLogger("runstead.store")

_LOCK = "SELECT pg_advisory_lock(hashtextextended(current_schema() || '.' || :name, 0))"
_RETURNED = "UPDATE workers SET returned = clock_timestamp() WHERE name = :name"
_CHECK = 2.0
"""Seconds between two checks that the server still answers: a network may drop a connection silently."""
_PATIENCE = 5.0
"""Seconds that it has to answer."""
_PAUSE = 0.1
"""Seconds between two tries to open the session again."""


@asynccontextmanager
async def present(address: Address, schema: str, worker: str) -> AsyncIterator[None]:
    """Hold the worker's lock; a session that is lost is opened again. Raises `Failure` when it cannot at first."""
    session = await _opened(address, schema, worker, _LOCK)
    # Not in a task group: what fails inside leaves as it came, and the worker may leave from another task.
    keeping = asyncio.create_task(_keep(address, schema, worker, session))  # noqa: TID251 - ended below
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def _keep(address: Address, schema: str, worker: str, session: PostgresSession) -> None:
    while True:
        try:
            await _until_lost(session)
        except asyncio.CancelledError:
            await session.close()
            raise
        session.cut()
        _log.warning("the session that shows that this worker lives is lost, opening it again: worker=%s", worker)
        session = await _again(address, schema, worker)


async def _until_lost(session: PostgresSession) -> None:
    try:
        while not await session.closed(_CHECK):
            async with asyncio.timeout(_PATIENCE):
                await session.script("SELECT 1")
    except (Failure, TimeoutError):
        pass  # it is lost


async def _again(address: Address, schema: str, worker: str) -> PostgresSession:
    while True:
        try:
            return await _opened(address, schema, worker, _LOCK, _RETURNED)
        except Failure as error:
            _log.debug("the session cannot be opened yet: %s", address.clean(error))
        await asyncio.sleep(_PAUSE)


async def _opened(address: Address, schema: str, worker: str, *statements: str) -> PostgresSession:
    session = await connect(address, schema, _PATIENCE)
    try:
        for statement in statements:
            # The lock is taken until the server notices that the previous session is closed.
            await session.row(statement, name=worker)
    except BaseException:
        session.cut()
        raise
    return session
