"""How fast is the embedded embedding model, and do documents delay a query?"""

import asyncio
from random import Random
from statistics import median
from time import perf_counter

from benchmarks.plan import Plan
from benchmarks.processes import resident, seconds_used
from benchmarks.report import Findings
from runstead.retrieval.embeddings.local.model import LocalEmbeddings
from runstead.retrieval.embeddings.local.process import ModelProcess
from runstead.retrieval.embeddings.windows import Windows

TEXT = (
    "the harbour opens at seven and every boat that wants to leave must report to the office before the tide turns "
    "while visitors may watch from the wall where a small museum shows how salt was traded in former centuries"
)
CHUNK = 130
"""Words of a chunk."""
BATCH = 16
QUERIES = 40


async def measure(plan: Plan) -> Findings:
    found = Findings("The embedded embedding model, in its processes", ("", "", "unit"))
    chunks = texts(plan.embedded, CHUNK)
    await alone(found, chunks)
    await together(found, chunks)
    found.note = f"A chunk has {CHUNK} words. Queries have 8."
    return found


async def alone(found: Findings, chunks: list[str]) -> None:
    process = ModelProcess("documents", niceness=10)
    started = perf_counter()
    await process.embed(["first"])
    loading = perf_counter() - started
    assert process.pid is not None
    used = seconds_used(process.pid)
    for batch in Windows(chunks, 1000).batches(count=BATCH, size=16_000):
        await process.embed(batch)
    rate = len(chunks) / (seconds_used(process.pid) - used)
    found.row("chunks a second of one core", rate, "chunks")
    found.row("text a second of one core", rate * len("".join(chunks)) / len(chunks) / 1000, "kB")
    found.row("memory of a process", resident(process.pid) / 2**20, "MiB")
    found.row("start of a process, with its first text", loading, "s")
    found.at_least("chunks a second of one core: at least 30", rate, 30)
    await process.stop()


async def together(found: Findings, chunks: list[str]) -> None:
    embeddings = LocalEmbeddings()
    await embeddings.embed(["first"], purpose="query")
    idle = await latency(embeddings)
    documents = asyncio.get_running_loop().create_task(embed_for_ever(embeddings, chunks))
    await embeddings.embed(["first"], purpose="document")
    busy = await latency(embeddings)
    documents.cancel()
    await asyncio.gather(documents, return_exceptions=True)
    await embeddings.stop()
    found.row("a query, p50", idle * 1000, "ms")
    found.row("a query while documents are embedded, p50", busy * 1000, "ms")


async def embed_for_ever(embeddings: LocalEmbeddings, chunks: list[str]) -> None:
    while True:
        await embeddings.embed(chunks, purpose="document")


async def latency(embeddings: LocalEmbeddings) -> float:
    """Seconds of one query, the median."""
    times = []
    for query in texts(QUERIES, 8):
        started = perf_counter()
        await embeddings.embed([query], purpose="query")
        times.append(perf_counter() - started)
    return median(times)


def texts(count: int, words: int) -> list[str]:
    random = Random(count)
    return [" ".join(random.choices(TEXT.split(), k=words)) for _ in range(count)]
