"""Does the ingestion of files delay the tokens of runs? And how fast is it from the upload to the search?"""

import asyncio
from collections.abc import Awaitable, Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple

import runstead
from benchmarks.load import Connection, connections
from benchmarks.plan import Plan
from benchmarks.report import Findings
from benchmarks.sections.quality import CORPUS
from benchmarks.targets import MODEL, SHORT_TOKENS, Runstead, start_targets
from runstead.client import AsyncClient
from runstead.client.sources import NamedSource
from runstead.wire.vector_store import FileBatchRequest, VectorStoreRequest

COPIES = 8
"""The corpus so many times in each file: a file is about 40 pages."""
LIMIT = 1.25
"""Ratios of medians up to this are noise."""


class Delays(NamedTuple):
    """Seconds from a run's request to its first token."""

    quiet: list[float]
    busy: list[float]
    """While files are ingested."""


async def measure(plan: Plan) -> Findings:
    text = "\n\n".join(path.read_text() for path in sorted((CORPUS / "documents").iterdir())) * COPIES
    async with (
        start_targets(plan.disk / "ingestion") as targets,
        connections(targets.runstead.server.port, 1) as (connection,),
        runstead.connect_async(targets.runstead.server.url) as client,
    ):
        delays, seconds = Delays([], []), 0.0
        for _ in range(plan.rounds):
            await first_tokens(targets.runstead, connection, lambda done: done >= plan.streams)
            delays.quiet.extend(await first_tokens(targets.runstead, connection, lambda done: done >= plan.streams))
            busy, took = await while_ingesting(client, text, plan.files, targets.runstead, connection)
            delays.busy.extend(busy)
            seconds += took
    return _findings(delays, seconds, len(text.encode()) * plan.files * plan.rounds)


async def first_tokens(target: Runstead, connection: Connection, enough: Callable[[int], bool]) -> list[float]:
    """The delays of one run after the other."""
    delays: list[float] = []
    while not enough(len(delays)):
        reply = await target.stream(connection, await target.prepare(connection), MODEL)
        target.check(reply, SHORT_TOKENS)
        delays.append(reply.first - reply.sent)
    return delays


async def while_ingesting(
    client: AsyncClient, text: str, files: int, target: Runstead, connection: Connection
) -> tuple[list[float], float]:
    """The delays of runs while files are ingested, and the seconds that all of them took."""
    store = await client.create_vector_store(VectorStoreRequest())
    uploaded = [await client.upload_file(NamedSource(text.encode(), f"{number}.md")) for number in range(files)]
    started = perf_counter()
    batch = await client.create_file_batch(store.id, FileBatchRequest(file_ids=[file.id for file in uploaded]))
    waiting: Awaitable[object] = client.wait_for_file_batch(batch)
    async with asyncio.timeout(600), asyncio.TaskGroup() as group:
        done = group.create_task(_timed(waiting))
        delays = await first_tokens(target, connection, lambda _: done.done())
    return delays, done.result() - started


async def _timed(waiting: Awaitable[object]) -> float:
    await waiting
    return perf_counter()


def _findings(delays: Delays, seconds: float, size: int) -> Findings:
    findings = Findings("Ingestion, and the first token of runs meanwhile", ("", "runs", "p50 ms", "p90 ms"))
    for name, values in zip(("no ingestion", "files are ingested"), delays, strict=True):
        ordered = sorted(values)
        findings.row(name, len(values), 1000 * median(values), 1000 * ordered[len(ordered) * 9 // 10])
    ratio = median(delays.busy) / median(delays.quiet)
    findings.at_most("first token while files are ingested, of the time without", ratio, LIMIT, "×")
    findings.note = f"{size / seconds / 1e3:.0f} kB/s of text from the upload to the search."
    return findings
