"""A storm: customers use a cluster while faults are injected one after the other. Then its data is checked."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from time import monotonic

import runstead
from runstead.store.postgres import PostgresStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.webhook import WebhookRequest
from tests.chaos.customers import Customer
from tests.chaos.faults import FAULTS, Fault, Site
from tests.chaos.judgement import examined, judge, judge_webhook
from tests.chaos.ledger import Ledger
from tests.chaos.model import SCRIPT
from tests.chaos.report import Injected, Report
from tests.support.cluster import cluster
from tests.support.nats import NatsServer
from tests.support.postgres import Server
from tests.support.receiver import Receiver, receiver
from tests.support.worlds import WEATHER

__all__ = ["storm"]

_LEASE = 2.0
_LOOK = 0.1
_LAST_RUNS = 180.0
"""Seconds that the last runs get to end, after the last fault."""


async def storm(
    folder: Path,
    seed: int,
    *,
    seconds: float = 0.0,
    faults: Sequence[Fault] = FAULTS,
    customers: int = 8,
    tell: Callable[[str], object] = lambda _: None,
) -> Report:
    """Inject each fault once, in an order given by the seed, and then random ones until the seconds are over."""
    chance = Random(seed)
    report = Report(seed=seed, ledger=Ledger())
    async with receiver() as webhooks:
        with _site(folder, chance) as site:
            await _run(site, webhooks, report, faults, seconds, customers, tell)
            report.log = site.cluster.log()
    return report


async def _run(
    site: Site,
    webhooks: Receiver,
    report: Report,
    faults: Sequence[Fault],
    seconds: float,
    customers: int,
    tell: Callable[[str], object],
) -> None:
    """Run the customers and the faults, then check the data."""
    urls, ledger = site.cluster.urls, report.ledger
    async with runstead.connect_async(urls[0]) as client:
        assistant = await client.create_assistant(AssistantRequest(model="scripted", tools=[WEATHER]))
        webhook = await client.create_webhook(WebhookRequest(url=webhooks.url))
    closing = asyncio.Event()
    async with asyncio.timeout(seconds + _LAST_RUNS + 20 * len(faults)), asyncio.TaskGroup() as group:
        for number in range(customers):
            customer = Customer(number, urls, assistant.id, ledger, Random(f"{report.seed}-{number}"))
            group.create_task(customer.live(closing))
        watching = group.create_task(_measure_delays(report))
        try:
            await _inject(site, faults, seconds, report, tell)
        finally:
            closing.set()
            watching.cancel()
    async with runstead.connect_async(site.cluster.urls[0]) as client:
        report.judgement = await judge(client, ledger.acknowledged)
        received = {each.event["id"] for each in webhooks.told}
        report.judgement.undelivered = await judge_webhook(client, webhook.id, ledger.acknowledged, received)
        report.delivered = len(webhooks.told)
    for program in [*site.cluster.workers, *site.cluster.apis]:
        await asyncio.to_thread(program.stop)
    store = PostgresStore(site.postgres.url, schema=site.cluster.installation)
    report.examined, report.violations = await examined(store)


async def _inject(
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


async def _measure_delays(report: Report) -> None:
    """Measure how late this process is. On a busy machine all other processes are as late."""
    while True:
        due = monotonic() + _LOOK
        await asyncio.sleep(_LOOK)
        report.held_up = max(report.held_up, monotonic() - due)


@contextmanager
def _site(folder: Path, chance: Random) -> Iterator[Site]:
    """A cluster of two servers and two workers, over a PostgreSQL and a NATS of its own."""
    postgres, nats = Server(fsync="on"), NatsServer(folder / "nats")
    try:
        postgres.start()
        nats.start()
        with (
            ExitStack() as proxies,
            cluster(
                folder / "cluster",
                apis=2,
                workers=2,
                script=SCRIPT,
                postgres=postgres,
                nats=nats,
                lease=str(_LEASE),
                secret="a storm's own secret, long enough",
                allow_private_webhooks="true",
            ) as here,
        ):
            yield Site(here, postgres, nats, _LEASE, chance, proxies)
    finally:
        nats.kill()
        postgres.remove()
