"""Whether this process can do its work: its store can be written and read, and its broker is connected."""

import asyncio
from collections.abc import Mapping

from runstead.engine.adapters import Adapters
from runstead.wire.error import RunsteadError

__all__ = ["Readiness"]

_TIMEOUT = 2.0
"""Seconds that the store may take."""
_KEPT = 1.0
"""Seconds for which a result is kept, so that many requests do not cause many commits."""


class Readiness:
    """Checks the adapters, at most once a second however often it is asked."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters
        self._asking = asyncio.Lock()
        self._store = False
        self._tried = float("-inf")

    async def parts(self) -> Mapping[str, bool]:
        """Which parts work, by name. Answers within about two seconds."""
        clock = asyncio.get_running_loop().time
        async with self._asking:
            if clock() - self._tried >= _KEPT:
                self._store = await self._store_works()
                self._tried = clock()
        return {"store": self._store, "broker": self._adapters.broker.connected}

    async def _store_works(self) -> bool:
        try:
            async with asyncio.timeout(_TIMEOUT):
                await self._adapters.store.check()
        except (RunsteadError, TimeoutError):
            return False
        return True
