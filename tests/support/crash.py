"""An application that crashes: from one moment on it writes nothing, publishes nothing, and its memory is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from runstead.llm.scripted import Script, ScriptedModel
from runstead.store.port import Lane, Presence, Store, Tx
from runstead.store.sqlite import SqliteStore
from runstead.worker.application import Application, run
from tests.support.callers import entered
from tests.support.waiting import within
from tests.support.worlds import World, adapters_of
from tests.support.wrapped import WrappedStore

__all__ = ["doomed"]

T = TypeVar("T")


class MortalStore(WrappedStore):
    """A store whose process can die. Its calls then never return."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self._dead = False

    def die(self) -> None:
        self._dead = True

    @asynccontextmanager
    async def presence(self, worker: str) -> AsyncIterator[Presence]:
        async with self._inner.presence(worker) as presence:
            yield _MortalPresence(self, presence)

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self.living(partial(super().read, single=single, lane=lane), work)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        return await self.living(partial(super().write, single=single, lane=lane), work)

    async def living(self, do: Callable[[Any], Awaitable[T]], work: Callable[[Tx], Awaitable[T]]) -> T:
        """The result of `do`, if the process lives long enough."""
        if not self._dead:
            answer = await do(work)
            if not self._dead:
                return answer
        return await asyncio.Event().wait()  # type: ignore[return-value]


class _MortalPresence:
    def __init__(self, store: MortalStore, inner: Presence) -> None:
        self._store = store
        self._inner = inner

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return await self._store.living(self._inner.write, work)


@asynccontextmanager
async def doomed(
    script: Script, path: Path, *, slots: int = 5000, store: Store | None = None, **outside: Any
) -> AsyncIterator[World]:
    """An application over a file, or another `store`, that crashes at the end of the block."""
    mortal = MortalStore(store or SqliteStore(path))
    adapters = adapters_of(script, store=mortal, **outside)
    before = asyncio.all_tasks()
    started: asyncio.Future[Application] = asyncio.get_running_loop().create_future()

    async def live() -> None:
        async with run(adapters, slots=slots) as application:
            started.set_result(application)
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as process:
        process.create_task(live())
        try:
            assert isinstance(adapters.model, ScriptedModel)
            application = await started
            yield World(application, await entered(application), adapters, adapters.model)
        finally:
            mortal.die()
            async with within():
                while tasks := asyncio.all_tasks() - before:
                    for task in tasks:
                        task.cancel()
                    await asyncio.wait(tasks, timeout=0.05)
