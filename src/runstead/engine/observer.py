"""The door for metrics: the engine reports what happens, and an observer counts it.

A call is made after the fact, where one thing happens in one place of the code. It must be quick, must not wait and
must not raise. It is given the run's row: the run's own times say how long it has waited.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from typing import Protocol, TypeVar

from runstead.domain.run.journal import CallStatus
from runstead.store.port import Lane, Presence, RunRow, Store, Tx

__all__ = ["ObservedStore", "Observer", "Unobserved"]

T = TypeVar("T")


class Observer(Protocol):
    """Receives the events that metrics count."""

    def run_created(self, row: RunRow) -> None:
        """A run was created: queued, or claimed by the same commit."""
        ...

    def run_claimed(self, row: RunRow) -> None:
        """A worker of this process begins to execute the run, for the first time or again."""
        ...

    def first_token(self, row: RunRow, seconds: float) -> None:
        """The first piece of a model's answer arrived, so many seconds after the model was asked."""
        ...

    def tool_ran(self, row: RunRow, tool: str, status: CallStatus, seconds: float) -> None:
        """An attempt at a call of a server's tool is over."""
        ...

    def run_ended(self, row: RunRow) -> None:
        """The run's end was committed by this process, whatever its status."""
        ...

    def run_recovered(self, row: RunRow) -> None:
        """The run of a worker that is gone was queued again, or ended, by this process."""
        ...

    def committed(self, seconds: float) -> None:
        """A transaction that writes was committed, so many seconds after it was asked for."""
        ...


class Unobserved:
    """Counts nothing."""

    def run_created(self, row: RunRow) -> None:
        pass

    def run_claimed(self, row: RunRow) -> None:
        pass

    def first_token(self, row: RunRow, seconds: float) -> None:
        pass

    def tool_ran(self, row: RunRow, tool: str, status: CallStatus, seconds: float) -> None:
        pass

    def run_ended(self, row: RunRow) -> None:
        pass

    def run_recovered(self, row: RunRow) -> None:
        pass

    def committed(self, seconds: float) -> None:
        pass


class ObservedStore:
    """A store that reports its commits. It stands in for the store of an engine that is observed."""

    def __init__(self, store: Store, observer: Observer) -> None:
        self._store = store
        self._observer = observer

    @property
    def shared(self) -> bool:
        return self._store.shared

    async def start(self) -> None:
        await self._store.start()

    async def stop(self) -> None:
        await self._store.stop()

    def presence(self, worker: str) -> AbstractAsyncContextManager[Presence]:
        return self._store.presence(worker)

    async def check(self) -> None:
        await self._store.check()

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self._store.read(work, single=single, lane=lane)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        asked = perf_counter()
        result = await self._store.write(work, single=single, lane=lane)
        self._observer.committed(perf_counter() - asked)
        return result
