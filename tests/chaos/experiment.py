"""One experiment: users use a cluster while faults are injected into it, then its data is checked."""

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
from tests.chaos.checker import check_runs, check_store, check_webhook
from tests.chaos.faults import FAULTS, Fault, Site
from tests.chaos.history import History
from tests.chaos.model import SCRIPT
from tests.chaos.report import InjectedFault, Report
from tests.chaos.users import User
from tests.support.cluster import cluster
from tests.support.nats import NatsServer
from tests.support.postgres import Server
from tests.support.program import Clocks
from tests.support.receiver import Receiver, receiver
from tests.support.worlds import WEATHER

__all__ = ["run_experiment"]

_LEASE = 2.0
_DELAY_PERIOD = 0.1
"""Seconds between two measurements of this process's delay."""
_SKEW = 300.0
"""Seconds by which the clock of a process's machine is wrong, at most."""
_LAST_RUNS = 180.0
"""Seconds in which the last runs must end, after the last fault."""


async def run_experiment(
    folder: Path,
    seed: int,
    *,
    seconds: float = 0.0,
    faults: Sequence[Fault] = FAULTS,
    users: int = 8,
    progress: Callable[[str], object] = lambda _: None,
) -> Report:
    """Inject each fault once, in a random order by the seed, then random ones until the seconds have passed.

    `progress` gets a line after each fault.
    """
    random = Random(seed)
    report = Report(seed=seed, history=History())
    async with receiver() as webhook_receiver:
        with _site(folder, random) as site:
            await _use(site, webhook_receiver, report, faults, seconds, users, progress)
            report.log = site.cluster.log()
    return report


async def _use(
    site: Site,
    webhook_receiver: Receiver,
    report: Report,
    faults: Sequence[Fault],
    seconds: float,
    users: int,
    progress: Callable[[str], object],
) -> None:
    """Run the users and the faults, then check the data."""
    urls, history = site.cluster.urls, report.history
    async with runstead.connect_async(urls[0]) as client:
        assistant = await client.create_assistant(AssistantRequest(model="scripted", tools=[WEATHER]))
        webhook = await client.create_webhook(WebhookRequest(url=webhook_receiver.url))
    stopping = asyncio.Event()
    async with asyncio.timeout(seconds + _LAST_RUNS + 20 * len(faults)), asyncio.TaskGroup() as group:
        for number in range(users):
            user = User(number, urls, assistant.id, history, Random(f"{report.seed}-{number}"))
            group.create_task(user.run(stopping))
        measuring = group.create_task(_measure_own_delay(report))
        try:
            await _inject_faults(site, faults, seconds, report, progress)
        finally:
            stopping.set()
            measuring.cancel()
    async with runstead.connect_async(site.cluster.urls[0]) as client:
        report.findings = await check_runs(client, history.acknowledged)
        received = {each.event["id"] for each in webhook_receiver.requests}
        report.findings.undelivered = await check_webhook(client, webhook.id, history.acknowledged, received)
        report.webhook_requests = len(webhook_receiver.requests)
    for program in [*site.cluster.workers, *site.cluster.apis]:
        await asyncio.to_thread(program.stop)
    store = PostgresStore(site.postgres.url, schema=site.cluster.installation)
    report.examined, report.violations = await check_store(store)


async def _inject_faults(
    site: Site, faults: Sequence[Fault], seconds: float, report: Report, progress: Callable[[str], object]
) -> None:
    deadline = monotonic() + seconds
    first = site.random.sample(faults, len(faults))
    while first or monotonic() < deadline:
        await site.pause(0.3, 2.0)
        fault = first.pop() if first else site.random.choice(faults)
        began = monotonic()
        await fault(site)
        report.injected.append(InjectedFault(fault.__name__, began, monotonic()))
        progress(f"{fault.__name__}: {monotonic() - began:.1f} s; {len(report.history.acknowledged)} runs acknowledged")
    await site.pause(1.0, 2.0)


async def _measure_own_delay(report: Report) -> None:
    """Measure how late this process wakes up: on a busy machine every process is as late."""
    while True:
        due = monotonic() + _DELAY_PERIOD
        await asyncio.sleep(_DELAY_PERIOD)
        report.own_delay = max(report.own_delay, monotonic() - due)


@contextmanager
def _site(folder: Path, random: Random) -> Iterator[Site]:
    """A cluster of two servers and two workers, over a PostgreSQL and a NATS of its own.

    The machine of each process has a wrong clock of its own.
    """
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
                secret="the secret of the chaos experiment",
                allow_private_webhooks="true",
                clocks=lambda: Clocks(random.uniform(-_SKEW, _SKEW)),
            ) as here,
        ):
            yield Site(here, postgres, nats, _LEASE, random, proxies)
    finally:
        nats.kill()
        postgres.remove()
