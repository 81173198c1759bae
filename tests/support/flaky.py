"""A store that fails by chance."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import TypeVar

from runstead.store.port import Lane, Presence, Store, Tx
from runstead.wire.error import Unreachable
from tests.support.wrapped import WrappedStore

__all__ = ["FlakyStore"]

T = TypeVar("T")


class FlakyStore(WrappedStore):
    """While `failing`, a part of the reads and writes fail: the same ones for the same seed."""

    def __init__(self, inner: Store, seed: int, *, part: float = 0.3) -> None:
        super().__init__(inner)
        self._random = Random(seed)
        self._part = part
        self.failing = False
        self.failures = 0

    @asynccontextmanager
    async def presence(self, worker: str) -> AsyncIterator[Presence]:
        async with self._inner.presence(worker) as presence:
            yield _FlakyPresence(self, presence)

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        self.fail()
        return await super().read(work, single=single, lane=lane)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        self.fail()
        return await super().write(work, single=single, lane=lane)

    def fail(self) -> None:
        """Fail, if it is the turn of this call."""
        if self.failing and self._random.random() < self._part:
            self.failures += 1
            raise Unreachable("The disk is full.")


class _FlakyPresence:
    def __init__(self, store: FlakyStore, inner: Presence) -> None:
        self._store = store
        self._inner = inner

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        self._store.fail()
        return await self._inner.write(work)
