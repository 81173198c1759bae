"""A store that can delay the result of a write: the write is committed, and its caller still waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from runstead.store.port import Lane, Store, Tx
from tests.support.wrapped import WrappedStore

__all__ = ["SlowAnswers"]

T = TypeVar("T")


class SlowAnswers(WrappedStore):
    """Delays the result of the next write after `hold`, until `release`."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._hold = False
        self.held = asyncio.Event()
        """A write is committed, and its result is held."""
        self._released = asyncio.Event()

    def hold(self) -> None:
        """Hold the result of the next write."""
        self._hold = True

    def release(self) -> None:
        """Return the held result."""
        self._released.set()

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        hold, self._hold = self._hold, False
        answer = await super().write(work, single=single, lane=lane)
        if hold:
            self.held.set()
            await self._released.wait()
        return answer
