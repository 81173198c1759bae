"""Applications as processes of one installation: over one schema, each with its own store and broker."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from runstead.engine.adapters import SystemClock
from runstead.llm.scripted import Script, ScriptedModel
from runstead.store.port import Store
from runstead.store.postgres import PostgresStore
from runstead.wire.run import Run
from runstead.worker.application import run
from runstead.worker.worker import Worker
from tests.support.callers import entered
from tests.support.postgres import server
from tests.support.waiting import until
from tests.support.worlds import World, adapters_of

__all__ = ["LEASE", "Start", "ended", "starter", "worker_of"]

LEASE = 2.0

Start = Callable[..., AbstractAsyncContextManager[World]]


def starter(schema: str, url: str | None = None, **how: Any) -> Start:
    """Starts processes over this schema, `how` are options of the store."""

    @asynccontextmanager
    async def start(
        script: Script = (),
        *,
        works: bool = True,
        lease: float = LEASE,
        slots: int = 5000,
        wrap: Callable[[Store], Store] = lambda store: store,
        **outside: Any,
    ) -> AsyncIterator[World]:
        store = wrap(PostgresStore(url or server().url, schema=schema, **how))
        adapters = adapters_of(script, store=store, clock=SystemClock(), **outside)
        assert isinstance(adapters.model, ScriptedModel)
        async with run(adapters, works=works, lease=lease, slots=slots) as application:
            yield World(application, await entered(application), adapters, adapters.model)

    return start


def worker_of(here: World) -> Worker:
    """The worker of this process."""
    worker = here.application._worker
    assert worker is not None
    return worker


async def ended(here: World, run: Run) -> Run:
    """The run, once it has ended or waits for the client: found by polling, without a broker."""

    async def over() -> bool:
        return (await here.now(run)).status.pausing

    await until(over)
    return await here.now(run)
