"""Worker liveness: the runs of a worker that is not registered may be recovered."""

import asyncio
from collections.abc import Callable

from runstead.store.port import Store, Tx
from runstead.wire.run import Status
from tests.store.things import MINE, created, run
from tests.support.waiting import until, within


async def orphans(store: Store) -> list[tuple[str, str]]:
    return await store.read(lambda tx: tx.runs.orphans(10))


async def expired(store: Store, observer: str = "me") -> list[str]:
    return await store.read(lambda tx: tx.workers.expired(observer))


async def hold_a_run(store: Store) -> None:
    await store.write(lambda tx: created(tx, MINE, run(status=Status.IN_PROGRESS), (), "worker_1"))


async def test_runs_of_a_live_worker_are_not_orphans(store: Store) -> None:
    async with store.presence("worker_1"):
        await store.write(lambda tx: tx.workers.register("worker_1", 10))
        await hold_a_run(store)
        assert await orphans(store) == []
        assert await expired(store) == []


async def test_runs_of_a_deregistered_worker_are_orphans(store: Store) -> None:
    async with store.presence("worker_1"):
        await store.write(lambda tx: tx.workers.register("worker_1", 10))
        await hold_a_run(store)
        await store.write(lambda tx: tx.workers.deregister("worker_1"))
    assert await orphans(store) == [("run_1", "worker_1")]


async def test_the_heartbeat_of_a_deregistered_worker_fails(store: Store) -> None:
    async with store.presence("worker_1"):
        await store.write(lambda tx: tx.workers.register("worker_1", 10))
        assert await store.write(lambda tx: tx.workers.heartbeat("worker_1", 10))
        await store.write(lambda tx: tx.workers.deregister("worker_1"))
        assert not await store.write(lambda tx: tx.workers.heartbeat("worker_1", 10))


async def test_a_worker_without_heartbeats_expires_with_its_lease(make_shared: Callable[[], Store]) -> None:
    store = make_shared()
    await store.start()
    async with within(), store.presence("quick"), store.presence("slow"):
        await store.write(lambda tx: tx.workers.register("quick", 0.2))
        await store.write(lambda tx: tx.workers.register("slow", 30))
        assert await expired(store) == []

        async def over() -> bool:
            return await expired(store) == ["quick"]

        await until(over)
        assert await expired(store, "quick") == [], "the observer is alive"
        assert await store.write(lambda tx: tx.workers.heartbeat("quick", 30)), "the worker is not expired yet"
        assert await expired(store) == []
    await store.stop()


async def test_of_several_observers_one_deregisters_an_expired_worker(make_shared: Callable[[], Store]) -> None:
    first, second = make_shared(), make_shared()
    await first.start()
    await second.start()
    async with within(), first.presence("worker_1"):
        await first.write(lambda tx: tx.workers.register("worker_1", 0.1))

        async def give_up(store: Store) -> list[str]:
            async def work(tx: Tx) -> list[str]:
                gone = await tx.workers.expired("me")
                for name in gone:
                    await tx.workers.deregister(name)
                return gone

            return await store.write(work)

        given_up: list[str] = []
        while not given_up:
            for names in await asyncio.gather(give_up(first), give_up(second)):
                given_up += names
        assert given_up == ["worker_1"]
    await second.stop()
    await first.stop()
