"""The database server's clock: one time for all processes, whatever the clocks of their machines say."""

import asyncio
import logging
from time import monotonic

from runstead.store.postgres.connection import PostgresSession
from runstead.store.postgres.connections import Connections
from runstead.store.postgres.failure import Failure

__all__ = ["ServerClock"]

_log = logging.getLogger("runstead.store")

_READ = "SELECT extract(epoch FROM clock_timestamp())::float8"
_PERIOD = 10.0
"""Seconds between two readings: two machines count seconds alike to a few millionths."""
_SLOW = 1.0
"""Seconds that a reading may take. The server may have read its clock at any moment of them."""


class ServerClock:
    """Implements `engine.adapters.Clock`: what the server said last, and the seconds that this process counted since.

    It shows the time once it was read. The machine's own time of day may be wrong, and may be set at any moment.
    """

    def __init__(self) -> None:
        self._ahead: float | None = None
        """What the server's clock shows beyond the seconds that this process counts."""

    def time(self) -> float:
        if self._ahead is None:
            raise RuntimeError("the server's clock was not read yet")
        return self._ahead + monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def read(self, session: PostgresSession) -> None:
        """Read the server's clock on a connection without a transaction. Raises `Failure`."""
        session.begin_single(writing=False)
        asked = monotonic()
        row = await session.row(_READ)
        answered = monotonic()
        if row is not None and (self._ahead is None or answered - asked < _SLOW):
            self._ahead = row[0] - (asked + answered) / 2

    async def keep(self, connections: Connections) -> None:
        """Read it every few seconds, for ever."""
        while True:
            await asyncio.sleep(_PERIOD)
            try:
                async with connections.one() as connection:
                    await self.read(connection.session)
            except Failure as error:  # an outage has its own line in the log
                _log.debug("the server's clock cannot be read: %s", error)
