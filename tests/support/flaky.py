"""A store that fails by chance."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from random import Random
from typing import TypeVar

from runstead.store.port import Store, Tx
from runstead.wire.error import RunsteadError

__all__ = ["FlakyStore"]

T = TypeVar("T")


class FlakyStore:
    """While `failing`, a part of the reads and writes fail: the same ones for the same seed."""

    def __init__(self, inner: Store, seed: int, *, part: float = 0.3) -> None:
        self._inner = inner
        self._random = Random(seed)
        self._part = part
        self.failing = False
        self.failures = 0

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
        self._fail()
        return await self._inner.read(work, single=single)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        self._fail()
        return await self._inner.write(work, single=single)

    def _fail(self) -> None:
        if self.failing and self._random.random() < self._part:
            self.failures += 1
            raise RunsteadError("The disk is full.")
