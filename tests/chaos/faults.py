"""What can go wrong with a cluster, each done to real processes and mended again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from random import Random
from typing import TypeAlias

from tests.support.cluster import Cluster
from tests.support.nats import NatsServer
from tests.support.postgres import Server
from tests.support.program import Program
from tests.support.severed import Way, way_to_nats, way_to_postgres

__all__ = ["FAULTS", "LONG_FAULTS", "Fault", "Site"]

blocking = asyncio.to_thread


class Site:
    """The cluster with the servers under it, which are this test's own."""

    def __init__(
        self, cluster: Cluster, postgres: Server, nats: NatsServer, lease: float, chance: Random, ways: ExitStack
    ) -> None:
        self.cluster = cluster
        self.postgres = postgres
        self.nats = nats
        self.lease = lease
        self.chance = chance
        self.ways = ways
        """Closed when the cluster has ended."""

    async def some_while(self, least: float, most: float) -> None:
        """Let it be broken for so many seconds."""
        await asyncio.sleep(self.chance.uniform(least, most))

    def victim(self, among: Sequence[Program]) -> Program:
        """One that lives."""
        return self.chance.choice([each for each in among if each.process.poll() is None])


Fault: TypeAlias = Callable[[Site], Awaitable[None]]


async def kill_a_worker(site: Site) -> None:
    """`kill -9`; another one is there."""
    fresh = site.cluster.worker()
    await blocking(fresh.ready)
    await blocking(site.victim([each for each in site.cluster.workers if each is not fresh]).kill)


async def stop_a_worker(site: Site) -> None:
    """As in a rolling upgrade."""
    fresh = site.cluster.worker()
    await blocking(fresh.ready)
    old = [each for each in site.cluster.workers if each is not fresh]
    await blocking(site.victim(old).stop)


async def freeze_a_worker(site: Site) -> None:
    """It stands still, for less or for longer than its lease, and goes on as if nothing had been."""
    worker = site.victim(site.cluster.workers)
    worker.freeze()
    await site.some_while(0.3 * site.lease, 2 * site.lease)
    worker.thaw()


async def kill_an_api(site: Site) -> None:
    """`kill -9`; it comes back at its address."""
    api = site.victim(site.cluster.apis)
    port = int(api.url.rpartition(":")[2])
    await blocking(api.kill)
    await site.some_while(0.0, 1.0)
    await blocking(site.cluster.api(port=port).ready)


async def kill_the_broker(site: Site) -> None:
    """`kill -9`; it comes back with its disk."""
    await blocking(site.nats.kill)
    await site.some_while(0.2, 3.0)
    await blocking(site.nats.start)


async def wipe_the_broker(site: Site) -> None:
    """It comes back without its disk."""
    await blocking(site.nats.kill)
    await blocking(site.nats.wipe)
    await site.some_while(0.0, 1.0)
    await blocking(site.nats.start)


async def freeze_the_broker(site: Site) -> None:
    """It answers nobody, though its connections stay open."""
    site.nats.freeze()
    await site.some_while(0.5, 3.0)
    site.nats.thaw()


async def kill_the_database(site: Site) -> None:
    """`kill -9` of all its processes; it recovers from its log."""
    await blocking(site.postgres.kill)
    await site.some_while(0.0, 2.0)
    await blocking(site.postgres.start)


async def restart_the_database(site: Site) -> None:
    """As an administrator does."""
    await blocking(site.postgres.stop)
    await blocking(site.postgres.start)


async def sever_a_worker_from_the_database(site: Site) -> None:
    """The network between the two swallows everything, for less or for longer than a lease; nothing is closed."""
    way = site.ways.enter_context(way_to_postgres(site.postgres))
    await _severed(site, way, database=way.url)


async def sever_a_worker_from_the_broker(site: Site) -> None:
    """The same, while it can still write."""
    way = site.ways.enter_context(way_to_nats(site.nats))
    await _severed(site, way, broker=way.url)


async def _severed(site: Site, way: Way, **settings: str) -> None:
    fresh = site.cluster.worker(**settings)
    await blocking(fresh.ready)
    await blocking(site.victim([each for each in site.cluster.workers if each is not fresh]).stop)
    way.sever()
    await site.some_while(0.3 * site.lease, 3 * site.lease)
    way.mend()


async def sever_an_api_from_the_database(site: Site) -> None:
    """It still takes requests, and hears of runs; what it asks the database is not answered."""
    way = site.ways.enter_context(way_to_postgres(site.postgres))
    api = site.victim(site.cluster.apis)
    port = int(api.url.rpartition(":")[2])
    await blocking(api.stop)
    await blocking(site.cluster.api(port=port, database=way.url).ready)
    await site.some_while(0.5, 1.5)  # until somebody uses it
    way.sever()
    await site.some_while(0.5, 12.0)
    way.mend()


async def lose_the_database_for_long(site: Site) -> None:
    """For longer than anybody waits for it: no standby stood in."""
    await blocking(site.postgres.kill)
    await site.some_while(6.0, 15.0)
    await blocking(site.postgres.start)


async def crash_a_session(site: Site) -> None:
    """A process of the database dies: it ends all the others, recovers from its log, and is the same server."""
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
"""Those that take longer, too."""
