"""A worker pauses before its lease expires, and registers under a new name after it was expired."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from runstead.llm.scripted import Gate, call, say
from runstead.store.port import Lane, Store, Tx
from runstead.wire.error import RunsteadError, Unconfirmed
from runstead.wire.run import Run, RunRequest
from tests.support.clock import FastClock
from tests.support.flaky import FlakyStore
from tests.support.postgres import Server, place
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, text_of, world
from tests.support.wrapped import WrappedStore
from tests.worker.processes import LEASE, Start, ended, starter, worker_of

T = TypeVar("T")


class UnsureStore(WrappedStore):
    """Loses the answer of the next write that claims a run: it is committed, but not confirmed."""

    def __init__(self, inner: Store) -> None:
        super().__init__(inner)
        self.losing = False
        self.lost = asyncio.Event()

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        answer = await super().write(work, single=single, lane=lane)
        if self.losing and answer is not None:
            self.losing = False
            self.lost.set()
            raise Unconfirmed("The connection was lost during the commit.")
        return answer


@pytest.fixture
def start(tmp_path: Path) -> Start:
    return starter(place(tmp_path))


@pytest.fixture
def own_server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.remove()


async def test_a_worker_without_heartbeats_claims_nothing_and_stops_recovered_runs(start: Start) -> None:
    stores: list[FlakyStore] = []

    def cut_off(store: Store) -> Store:
        stores.append(FlakyStore(store, 1, part=1.0))
        return stores[0]

    gate = Gate()
    async with start([[say("Half"), gate], "I am back."], wrap=cut_off) as first:
        run = await first.start("Hi")
        async with within():
            await gate.reached.wait()
        name = worker_of(first).name
        async with start(["Whole"]) as second:
            stores[0].failing = True
            await until(lambda: worker_of(first)._paused)
            assert second.model.requests == [], "the lease is not over yet"
            assert (await ended(second, run)).status == "completed"
            stores[0].failing = False
            await until(lambda: worker_of(first).name != name)
            async with within():
                await first.model.closed.wait()
        assert [text_of(message) for message in await first.written(run)] == ["", "Whole"]
        Reader().read(await first.events(run))
        assert (await first.ended(await first.start("And now?"))).status == "completed"


async def test_a_worker_whose_heartbeat_succeeds_in_time_finishes_its_runs(start: Start) -> None:
    stores: list[FlakyStore] = []

    def cut_off(store: Store) -> Store:
        stores.append(FlakyStore(store, 1, part=1.0))
        return stores[0]

    gate = Gate()
    async with start([[say("Half"), gate, say(" and half")]], wrap=cut_off) as here:
        run = await here.start("Hi")
        async with within():
            await gate.reached.wait()
        worker = worker_of(here)
        name = worker.name
        stores[0].failing = True
        gate.open()
        await until(lambda: worker._paused)
        stores[0].failing = False
        assert (await ended(here, run)).status == "completed"
        await until(lambda: not worker._paused)
        assert worker.name == name
        assert [text_of(message) for message in await here.written(run)] == ["Half and half"]
        assert len(here.model.requests) == 1


async def test_an_expired_worker_registers_under_a_new_name_and_its_runs_are_recovered(start: Start) -> None:
    gate = Gate()
    async with start([[say("Half"), gate], "Whole"]) as here:
        run = await here.start("Hi")
        async with within():
            await gate.reached.wait()
        worker = worker_of(here)
        name = worker.name
        await here.adapters.store.write(lambda tx: tx.workers.deregister(name))
        await until(lambda: worker.name != name)
        assert (await ended(here, run)).status == "completed"
        Reader().read(await here.events(run))
        assert text_of((await here.written(run))[-1]) == "Whole"
        assert await here.adapters.store.write(lambda tx: tx.workers.heartbeat(worker.name, LEASE))


async def test_a_paused_worker_claims_nothing(start: Start) -> None:
    async with start(["Hello!", "Hello!"], lease=4) as here:
        worker = worker_of(here)
        await here.ended(await here.start("Hi"))
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        worker.pause()
        await until(lambda: not worker._paused)
        worker.pause()  # just renewed, so for a second
        run = await here.project.create_run(thread_id, request)
        assert (await here.row(run)).owner is None
        assert len(here.model.requests) == 1
        assert (await ended(here, run)).status == "completed", "its next renewal wakes it"


@pytest.mark.parametrize("waiting", [True, False], ids=["offered", "made here"])
async def test_a_run_with_an_unconfirmed_claim_is_released(start: Start, waiting: bool) -> None:
    stores: list[UnsureStore] = []

    def unsure(store: Store) -> Store:
        stores.append(UnsureStore(store))
        return stores[0]

    async with start(["Hello!"], wrap=unsure) as here, start(works=False) as api:
        thread_id = await here.thread("Hi")
        request = RunRequest(assistant_id=await here.assistant())
        maker = api if waiting else here
        stores[0].losing = True
        made = await asyncio.gather(maker.project.create_run(thread_id, request), return_exceptions=True)
        assert isinstance(made[0], Run if waiting else RunsteadError)
        async with within():
            await stores[0].lost.wait()
        [run] = (await api.project.runs(thread_id)).data
        assert (await ended(api, run)).status == "completed"
        assert len(here.model.requests) == 1


async def test_a_server_that_restarts_fails_no_run(tmp_path: Path, own_server: Server) -> None:
    start = starter(place(tmp_path), own_server.url)
    gate = Gate()
    script = lambda _: [say("Half"), gate, say(" and", " half")]  # noqa: E731 - a script
    async with within(60), start(script) as one, start(script) as two:
        request = RunRequest(assistant_id=await one.assistant())
        made = [await (one, two)[n % 2].project.create_run(await one.thread("Hi"), request) for n in range(10)]
        await until(lambda: len(one.model.requests) + len(two.model.requests) == 10)
        await asyncio.to_thread(own_server.kill)
        gate.open()
        await asyncio.to_thread(own_server.start)
        for run in made:
            assert (await ended(one, run)).status == "completed"
            Reader().read(await one.events(run))
            assert text_of((await one.written(run))[-1]) == "Half and half"


async def test_a_store_of_one_process_is_not_written_while_nothing_happens(tmp_path: Path) -> None:
    path, clock = tmp_path / "rs.db", FastClock()
    async with world([call("weather")], path=path, clock=clock) as here:
        await here.ended(await here.start("Hi", tools=[WEATHER]))
        log = path.with_name("rs.db-wal")
        before, began = log.stat().st_mtime_ns, clock.time()
        await until(lambda: clock.time() - began > 60)
        assert log.stat().st_mtime_ns == before
