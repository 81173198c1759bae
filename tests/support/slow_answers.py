"""A store that can delay the result of a write: the write is committed, and its caller still waits."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from runstead.store.port import Store, Tx

__all__ = ["SlowAnswers"]

T = TypeVar("T")


class SlowAnswers:
    """Delays the result of the next write after `hold`, until `release`."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
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

    @property
    def shared(self) -> bool:
        return self._inner.shared

    def presence(self, worker: str) -> AbstractAsyncContextManager[None]:
        return self._inner.presence(worker)

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        return await self._inner.read(work, single=single)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        hold, self._hold = self._hold, False
        answer = await self._inner.write(work, single=single)
        if hold:
            self.held.set()
            await self._released.wait()
        return answer
