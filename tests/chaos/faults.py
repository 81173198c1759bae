"""The faults. Each is injected into real processes, and over when the function returns."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import TypeAlias

import runstead
from runstead import (
    AssistantRequest,
    MessageRequest,
    Run,
    RunsteadError,
    Status,
    ThreadRequest,
    ThreadRunRequest,
)
from tests.support.cluster import Cluster
from tests.support.nats import NatsServer
from tests.support.partition import PartitionProxy, nats_proxy, postgres_proxy
from tests.support.postgres import Server
from tests.support.program import Program

__all__ = ["FAULTS", "LONG_FAULTS", "Fault", "Site"]

blocking = asyncio.to_thread

_BURST = 200
"""Runs that begin in the same moment, and seconds in which each has to complete."""


class Site:
    """The cluster with its PostgreSQL and NATS, which no other test uses."""

    def __init__(
        self, cluster: Cluster, postgres: Server, nats: NatsServer, lease: float, random: Random, proxies: ExitStack
    ) -> None:
        self.cluster = cluster
        self.postgres = postgres
        self.nats = nats
        self.lease = lease
        self.random = random
        self.proxies = proxies
        """Closed after the cluster."""

    async def pause(self, least: float, most: float) -> None:
        """Wait for a random time, in seconds."""
        await asyncio.sleep(self.random.uniform(least, most))

    def random_process(self, programs: Sequence[Program]) -> Program:
        """One of the programs that are running."""
        return self.random.choice([each for each in programs if each.process.poll() is None])


Fault: TypeAlias = Callable[[Site], Awaitable[None]]


async def kill_a_worker(site: Site) -> None:
    """`kill -9`. Another worker has been started before."""
    fresh = site.cluster.worker()
    await blocking(fresh.ready)
    await blocking(site.random_process([each for each in site.cluster.workers if each is not fresh]).kill)


async def stop_a_worker(site: Site) -> None:
    """Stop a worker as in a rolling upgrade."""
    fresh = site.cluster.worker()
    await blocking(fresh.ready)
    old = [each for each in site.cluster.workers if each is not fresh]
    await blocking(site.random_process(old).stop)


async def freeze_a_worker(site: Site) -> None:
    """A worker stands still, for less or for longer than its lease, and then continues."""
    worker = site.random_process(site.cluster.workers)
    worker.freeze()
    await site.pause(0.3 * site.lease, 2 * site.lease)
    worker.thaw()


async def set_the_clocks(site: Site) -> None:
    """The clocks of several machines are set: each was wrong by minutes, and is wrong to the other side."""
    for program in (site.random_process(site.cluster.workers), site.random_process(site.cluster.apis)):
        program.set_clock()
        await site.pause(0.0, 1.0)


async def kill_an_api(site: Site) -> None:
    """`kill -9`. The server is restarted at its address."""
    api = site.random_process(site.cluster.apis)
    port = int(api.url.rpartition(":")[2])
    await blocking(api.kill)
    await site.pause(0.0, 1.0)
    await blocking(site.cluster.api(port=port).ready)


async def kill_the_broker(site: Site) -> None:
    """`kill -9`. NATS is restarted with its disk."""
    await blocking(site.nats.kill)
    await site.pause(0.2, 3.0)
    await blocking(site.nats.start)


async def wipe_the_broker(site: Site) -> None:
    """NATS is restarted without its disk."""
    await blocking(site.nats.kill)
    await blocking(site.nats.wipe)
    await site.pause(0.0, 1.0)
    await blocking(site.nats.start)


async def freeze_the_broker(site: Site) -> None:
    """NATS answers no request. Its connections stay open."""
    site.nats.freeze()
    await site.pause(0.5, 3.0)
    site.nats.thaw()


async def kill_the_database(site: Site) -> None:
    """`kill -9` of all processes of PostgreSQL, which recovers from its log."""
    await blocking(site.postgres.kill)
    await site.pause(0.0, 2.0)
    await blocking(site.postgres.start)


async def restart_the_database(site: Site) -> None:
    """Restart PostgreSQL as an administrator does."""
    await blocking(site.postgres.stop)
    await blocking(site.postgres.start)


async def partition_a_worker_from_the_database(site: Site) -> None:
    """A network partition, for less or for longer than a lease. No connection is closed."""
    proxy = site.proxies.enter_context(postgres_proxy(site.postgres))
    await _partition(site, proxy, database=proxy.url)


async def partition_a_worker_from_the_broker(site: Site) -> None:
    """A network partition of a worker that can still write to the database."""
    proxy = site.proxies.enter_context(nats_proxy(site.nats))
    await _partition(site, proxy, broker=proxy.url)


async def _partition(site: Site, proxy: PartitionProxy, **settings: str) -> None:
    fresh = site.cluster.worker(**settings)
    await blocking(fresh.ready)
    await blocking(site.random_process([each for each in site.cluster.workers if each is not fresh]).stop)
    proxy.partition()
    await site.pause(0.3 * site.lease, 3 * site.lease)
    proxy.heal()


async def partition_an_api_from_the_database(site: Site) -> None:
    """A server that still receives requests and live events, while the database does not answer it."""
    proxy = site.proxies.enter_context(postgres_proxy(site.postgres))
    api = site.random_process(site.cluster.apis)
    port = int(api.url.rpartition(":")[2])
    await blocking(api.stop)
    await blocking(site.cluster.api(port=port, database=proxy.url).ready)
    await site.pause(0.5, 1.5)  # until a user has connected
    proxy.partition()
    await site.pause(0.5, 12.0)
    proxy.heal()


async def lose_the_database_for_long(site: Site) -> None:
    """PostgreSQL is away for longer than any call waits for it, as without a standby."""
    await blocking(site.postgres.kill)
    await site.pause(6.0, 15.0)
    await blocking(site.postgres.start)


async def crash_a_session(site: Site) -> None:
    """A process of PostgreSQL crashes. PostgreSQL ends all sessions, recovers from its log, and goes on."""
    await blocking(site.postgres.crash)


async def fill_the_disk_of_the_database(site: Site) -> None:
    """PostgreSQL cannot write: it panics, and recovers from its log once there is room."""
    await blocking(site.postgres.fill_disk)
    await site.pause(1.0, 6.0)
    await blocking(site.postgres.kill)
    await blocking(site.postgres.start)


async def overload_an_api(site: Site) -> None:
    """Hundreds of runs in the same moment. Some may be refused; every run that was accepted completes."""
    async with runstead.connect_async(site.random.choice(site.cluster.urls), max_retries=0) as client:
        assistant = await client.create_assistant(AssistantRequest(model="scripted"))
        thread = ThreadRequest(messages=[MessageRequest(role="user", content="plain")])
        request = ThreadRunRequest(assistant_id=assistant.id, thread=thread)
        made = await asyncio.gather(*(client.create_thread_run(request) for _ in range(_BURST)), return_exceptions=True)
        for run in made:
            if isinstance(run, Run):
                assert (await client.wait(run, timeout=_BURST)).status is Status.COMPLETED
            else:
                assert isinstance(run, RunsteadError), run


FAULTS: Sequence[Fault] = (
    kill_a_worker,
    stop_a_worker,
    freeze_a_worker,
    set_the_clocks,
    kill_an_api,
    kill_the_broker,
    wipe_the_broker,
    freeze_the_broker,
    kill_the_database,
    restart_the_database,
    crash_a_session,
)

LONG_FAULTS: Sequence[Fault] = (
    *FAULTS,
    partition_a_worker_from_the_database,
    partition_a_worker_from_the_broker,
    partition_an_api_from_the_database,
    lose_the_database_for_long,
    fill_the_disk_of_the_database,
    overload_an_api,
)
"""All faults, including those that take long."""
