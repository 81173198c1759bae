"""An application that crashes: from one moment on it writes nothing, publishes nothing, and its memory is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from runstead.llm.scripted import Script, ScriptedModel
from runstead.store.port import Store, Tx
from runstead.store.sqlite import SqliteStore
from runstead.worker.application import Application, run
from tests.support.callers import entered
from tests.support.waiting import within
from tests.support.worlds import World, adapters_of

__all__ = ["doomed"]

T = TypeVar("T")


class MortalStore:
    """A store whose process can die. Its calls then never return."""

    def __init__(self, inner: Store) -> None:
        self._inner = inner
        self._dead = False

    @property
    def shared(self) -> bool:
        return self._inner.shared

    def presence(self, worker: str) -> AbstractAsyncContextManager[None]:
        return self._inner.presence(worker)

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    def die(self) -> None:
        self._dead = True

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        return await self._living(partial(self._inner.read, single=single), work)

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        return await self._living(partial(self._inner.write, single=single), work)

    async def _living(self, do: Callable[[Any], Awaitable[T]], work: Callable[[Tx], Awaitable[T]]) -> T:
        if not self._dead:
            answer = await do(work)
            if not self._dead:
                return answer
        return await asyncio.Event().wait()  # type: ignore[return-value]


@asynccontextmanager
async def doomed(
    script: Script, path: Path, *, slots: int = 5000, store: Store | None = None, **outside: Any
) -> AsyncIterator[World]:
    """An application over a file, or another `store`, that crashes at the end of the block."""
    store = MortalStore(store or SqliteStore(path))
    adapters = adapters_of(script, store=store, **outside)
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
            store.die()
            async with within():
                while tasks := asyncio.all_tasks() - before:
                    for task in tasks:
                        task.cancel()
                    await asyncio.wait(tasks, timeout=0.05)
