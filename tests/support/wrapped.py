"""A store around another one, to be changed in one place."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

from runstead.store.port import Lane, Presence, Store, Tx

__all__ = ["WrappedStore"]

T = TypeVar("T")


class WrappedStore:
    """Passes everything on to the store inside."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner

    @property
    def shared(self) -> bool:
        return self._inner.shared

    def presence(self, worker: str) -> AbstractAsyncContextManager[Presence]:
        return self._inner.presence(worker)

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def check(self) -> None:
        await self._inner.check()

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self._inner.read(work, single=single, lane=lane)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self._inner.write(work, single=single, lane=lane)
