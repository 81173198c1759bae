"""The faults of a cluster. Each is injected into real processes, and mended again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import TypeAlias

from tests.support.cluster import Cluster
from tests.support.nats import NatsServer
from tests.support.partition import PartitionProxy, nats_proxy, postgres_proxy
from tests.support.postgres import Server
from tests.support.program import Program

__all__ = ["FAULTS", "LONG_FAULTS", "Fault", "Site"]

blocking = asyncio.to_thread


class Site:
    """The cluster, with a PostgreSQL and a NATS of its own."""

    def __init__(
        self, cluster: Cluster, postgres: Server, nats: NatsServer, lease: float, chance: Random, proxies: ExitStack
    ) -> None:
        self.cluster = cluster
        self.postgres = postgres
        self.nats = nats
        self.lease = lease
        self.chance = chance
        self.proxies = proxies
        """Closed when the cluster has ended."""

    async def some_while(self, least: float, most: float) -> None:
        """Wait a random time between these seconds."""
        await asyncio.sleep(self.chance.uniform(least, most))

    def victim(self, among: Sequence[Program]) -> Program:
        """A random running program."""
        return self.chance.choice([each for each in among if each.process.poll() is None])


Fault: TypeAlias = Callable[[Site], Awaitable[None]]


async def kill_a_worker(site: Site) -> None:
    """Kill a worker, after a new one has started."""
    fresh = site.cluster.worker()
    await blocking(fresh.ready)
    await blocking(site.victim([each for each in site.cluster.workers if each is not fresh]).kill)


async def stop_a_worker(site: Site) -> None:
    """Replace a worker as in a rolling upgrade."""
    fresh = site.cluster.worker()
    await blocking(fresh.ready)
    old = [each for each in site.cluster.workers if each is not fresh]
    await blocking(site.victim(old).stop)


async def freeze_a_worker(site: Site) -> None:
    """Suspend a worker for less or longer than its lease, then resume it."""
    worker = site.victim(site.cluster.workers)
    worker.freeze()
    await site.some_while(0.3 * site.lease, 2 * site.lease)
    worker.thaw()


async def kill_an_api(site: Site) -> None:
    """Kill a server, and restart it on its port."""
    api = site.victim(site.cluster.apis)
    port = int(api.url.rpartition(":")[2])
    await blocking(api.kill)
    await site.some_while(0.0, 1.0)
    await blocking(site.cluster.api(port=port).ready)


async def kill_the_broker(site: Site) -> None:
    """Kill NATS, and restart it with its data."""
    await blocking(site.nats.kill)
    await site.some_while(0.2, 3.0)
    await blocking(site.nats.start)


async def wipe_the_broker(site: Site) -> None:
    """Kill NATS, and restart it without its data."""
    await blocking(site.nats.kill)
    await blocking(site.nats.wipe)
    await site.some_while(0.0, 1.0)
    await blocking(site.nats.start)


async def freeze_the_broker(site: Site) -> None:
    """Suspend NATS. Its connections stay open."""
    site.nats.freeze()
    await site.some_while(0.5, 3.0)
    site.nats.thaw()


async def kill_the_database(site: Site) -> None:
    """Kill all processes of PostgreSQL, and restart it. It recovers from its log."""
    await blocking(site.postgres.kill)
    await site.some_while(0.0, 2.0)
    await blocking(site.postgres.start)


async def restart_the_database(site: Site) -> None:
    """Restart PostgreSQL as an administrator does."""
    await blocking(site.postgres.stop)
    await blocking(site.postgres.start)


async def sever_a_worker_from_the_database(site: Site) -> None:
    """Partition a worker from PostgreSQL for less or longer than its lease. Connections stay open."""
    proxy = site.proxies.enter_context(postgres_proxy(site.postgres))
    await _severed(site, proxy, database=proxy.url)


async def sever_a_worker_from_the_broker(site: Site) -> None:
    """Partition a worker from NATS. It can still write to the database."""
    proxy = site.proxies.enter_context(nats_proxy(site.nats))
    await _severed(site, proxy, broker=proxy.url)


async def _severed(site: Site, proxy: PartitionProxy, **settings: str) -> None:
    fresh = site.cluster.worker(**settings)
    await blocking(fresh.ready)
    await blocking(site.victim([each for each in site.cluster.workers if each is not fresh]).stop)
    proxy.partition()
    await site.some_while(0.3 * site.lease, 3 * site.lease)
    proxy.heal()


async def sever_an_api_from_the_database(site: Site) -> None:
    """Partition a server from PostgreSQL. It still receives requests and broker events."""
    proxy = site.proxies.enter_context(postgres_proxy(site.postgres))
    api = site.victim(site.cluster.apis)
    port = int(api.url.rpartition(":")[2])
    await blocking(api.stop)
    await blocking(site.cluster.api(port=port, database=proxy.url).ready)
    await site.some_while(0.5, 1.5)  # until customers use it
    proxy.partition()
    await site.some_while(0.5, 12.0)
    proxy.heal()


async def lose_the_database_for_long(site: Site) -> None:
    """Stop PostgreSQL for longer than any process waits for it, as without a standby."""
    await blocking(site.postgres.kill)
    await site.some_while(6.0, 15.0)
    await blocking(site.postgres.start)


async def crash_a_session(site: Site) -> None:
    """Kill one session of PostgreSQL. It ends all others, and recovers from its log."""
    await blocking(site.postgres.crash)


FAULTS: Sequence[Fault] = (
    kill_a_worker,
    stop_a_worker,
    freeze_a_worker,
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
    sever_a_worker_from_the_database,
    sever_a_worker_from_the_broker,
    sever_an_api_from_the_database,
    lose_the_database_for_long,
)
"""All faults, including those that take long."""
