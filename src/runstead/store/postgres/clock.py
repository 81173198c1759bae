"""The database server's clock: one time for all processes, whatever the clocks of their machines say."""

import asyncio
import logging
from time import monotonic
from typing import NamedTuple

from runstead.store.port import Lane
from runstead.store.postgres.connection import PostgresSession
from runstead.store.postgres.connections import Connections
from runstead.store.postgres.failure import Failure

__all__ = ["Reading", "ServerClock"]

_log = logging.getLogger("runstead.store")

_READ = "SELECT extract(epoch FROM clock_timestamp())::float8"
_PERIOD = 10.0
"""Seconds between two readings."""
_DRIFT = 1e-4
"""Seconds by which two machines may differ about how long a second is."""


class Reading(NamedTuple):
    """The difference between the server's clock and the seconds that this process counts, with its error."""

    ahead: float
    error: float
    """Half of the seconds that the answer took: the server may have read its clock at any moment of them."""
    at: float
    """When it was read, in the seconds that this process counts."""

    def error_at(self, now: float) -> float:
        """How much it may be wrong by now."""
        return self.error + (now - self.at) * _DRIFT

    def replaces(self, last: "Reading") -> bool:
        """Whether it is more exact than the last one, or shows that the server's clock was set."""
        remaining = last.error_at(self.at)
        return self.error <= remaining or abs(self.ahead - last.ahead) > self.error + remaining


class ServerClock:
    """Implements `engine.adapters.Clock`: the last reading, and the seconds that this process has counted since.

    It has no time before the first reading. The machine's own time of day may be wrong, and may be set at any moment.
    """

    def __init__(self) -> None:
        self._last: Reading | None = None

    def time(self) -> float:
        if self._last is None:
            raise RuntimeError("the server's clock was not read yet")
        return self._last.ahead + monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def read(self, session: PostgresSession) -> None:
        """Read the server's clock on a connection without a transaction. Raises `Failure`."""
        session.begin_single(writing=False)
        asked = monotonic()
        row = await session.row(_READ)
        error = (monotonic() - asked) / 2
        if row is not None:
            self.take(Reading(row[0] - asked - error, error, asked + error))

    def take(self, reading: Reading) -> None:
        """Use a reading, unless the last one is still more exact."""
        if self._last is None or reading.replaces(self._last):
            self._last = reading

    async def keep(self, connections: Connections) -> None:
        """Read it every few seconds, for ever."""
        while True:
            await asyncio.sleep(_PERIOD)
            try:
                async with connections.one(Lane.MAINTENANCE) as connection:
                    await self.read(connection.session)
            except Failure as error:  # an outage has its own line in the log
                _log.debug("the server's clock cannot be read: %s", error)
