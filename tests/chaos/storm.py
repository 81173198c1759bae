"""Customers use a cluster while one thing after the other goes wrong with it; then what is left is judged."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from time import monotonic

import runstead
from runstead.store.postgres import PostgresStore
from runstead.wire.assistant import AssistantRequest
from tests.chaos.customers import Customer
from tests.chaos.faults import FAULTS, Fault, Site
from tests.chaos.judgement import examined, judge
from tests.chaos.ledger import Ledger
from tests.chaos.model import SCRIPT
from tests.chaos.report import Injected, Report
from tests.support.cluster import cluster
from tests.support.nats import NatsServer
from tests.support.postgres import Server
from tests.support.worlds import WEATHER

__all__ = ["storm"]

_LEASE = 2.0
_LAST_RUNS = 180.0
"""Seconds that the last runs get to end, once nothing is broken any more."""


async def storm(
    folder: Path,
    seed: int,
    *,
    seconds: float = 0.0,
    faults: Sequence[Fault] = FAULTS,
    customers: int = 8,
    tell: Callable[[str], object] = lambda _: None,
) -> Report:
    """Each of the faults once, in an order that the seed says, and then more of them until the seconds are over."""
    chance = Random(seed)
    ledger = Ledger()
    report = Report(seed=seed, ledger=ledger)
    with _site(folder, chance) as site:
        async with runstead.connect_async(site.cluster.urls[0]) as client:
            assistant = await client.create_assistant(AssistantRequest(model="scripted", tools=[WEATHER]))
        urls = site.cluster.urls
        closing = asyncio.Event()
        async with asyncio.timeout(seconds + _LAST_RUNS + 20 * len(faults)), asyncio.TaskGroup() as group:
            for number in range(customers):
                customer = Customer(number, urls, assistant.id, ledger, Random(f"{seed}-{number}"))
                group.create_task(customer.live(closing))
            try:
                await _strike(site, faults, seconds, report, tell)
            finally:
                closing.set()
        async with runstead.connect_async(site.cluster.urls[0]) as client:
            report.judgement = await judge(client, ledger.acknowledged)
        for program in [*site.cluster.workers, *site.cluster.apis]:
            await asyncio.to_thread(program.stop)
        store = PostgresStore(site.postgres.url, schema=site.cluster.installation)
        report.examined, report.violations = await examined(store)
    return report


async def _strike(
    site: Site, faults: Sequence[Fault], seconds: float, report: Report, tell: Callable[[str], object]
) -> None:
    until = monotonic() + seconds
    ahead = site.chance.sample(faults, len(faults))
    while ahead or monotonic() < until:
        await site.some_while(0.3, 2.0)
        fault = ahead.pop() if ahead else site.chance.choice(faults)
        began = monotonic()
        await fault(site)
        report.injected.append(Injected(fault.__name__, began, monotonic()))
        tell(f"{fault.__name__}: {monotonic() - began:.1f} s; {len(report.ledger.acknowledged)} runs acknowledged")
    await site.some_while(1.0, 2.0)


@contextmanager
def _site(folder: Path, chance: Random) -> Iterator[Site]:
    """A cluster of two servers and two workers, over a PostgreSQL and a NATS that may be harmed."""
    postgres, nats = Server(fsync="on"), NatsServer(folder / "nats")
    try:
        postgres.start()
        nats.start()
        with cluster(
            folder / "cluster", apis=2, workers=2, script=SCRIPT, postgres=postgres, nats=nats, lease=str(_LEASE)
        ) as here:
            yield Site(here, postgres, nats, _LEASE, chance)
    finally:
        nats.kill()
        postgres.remove()
