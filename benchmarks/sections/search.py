"""How long does a search take, and what does a chunk cost, in vector stores of several sizes?"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
from numpy.typing import NDArray

from benchmarks.installation import DURABLE
from benchmarks.plan import Plan
from benchmarks.processes import resident
from benchmarks.report import Findings
from runstead.retrieval.index.port import Entry, Index, IndexedChunk, Query, Vectors
from runstead.retrieval.index.postgres import PostgresIndex
from runstead.retrieval.index.sqlite import SqliteIndex
from runstead.store.postgres.upgrade import upgrade
from runstead.wire.filter import Filter, LessFilter
from tests.support.postgres import Server

DIMENSION = 384
PER_FILE = 500
WORDS = 120
"""Words of a chunk, and each is one of `VOCABULARY` with the frequencies of a language."""
VOCABULARY = 50_000
CENTRES = 1000
"""Subjects that the vectors are about."""
LIMIT = 10
RECALL_SEARCHES = 40
GOAL = 100_000


@dataclass(frozen=True)
class Part:
    """The chunks of one file, and their vectors."""

    words: NDArray[np.intp]
    vectors: Vectors


class Library:
    """Synthetic files: the same for the same numbers, so none has to be kept."""

    def __init__(self) -> None:
        frequencies = 1 / np.arange(1, VOCABULARY + 1)
        self._cumulative = np.cumsum(frequencies / frequencies.sum())
        self._centres = np.random.default_rng(0).normal(size=(CENTRES, DIMENSION)).astype(np.float32)

    def file(self, number: int) -> Part:
        generator = np.random.default_rng([1, number])
        words = np.searchsorted(self._cumulative, generator.random((PER_FILE, WORDS))).clip(0, VOCABULARY - 1)
        centres = self._centres[generator.integers(0, CENTRES, PER_FILE)]
        noise = generator.normal(size=(PER_FILE, DIMENSION)).astype(np.float32)
        vectors = centres + np.float32(0.9) * noise
        return Part(words, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def queries(self, files: int, count: int) -> Iterator[tuple[str, Vectors]]:
        """Six words of a chunk, and a vector near its own."""
        generator = np.random.default_rng(2)
        for number in generator.integers(0, files, count):
            part, place = self.file(int(number)), generator.integers(0, PER_FILE)
            noise = generator.normal(size=DIMENSION).astype(np.float32) / np.float32(DIMENSION**0.5)
            words = generator.choice(part.words[place], 6, replace=False)
            yield text(words), part.vectors[place] + np.float32(0.5) * noise


def text(words: Sequence[int] | NDArray[np.intp]) -> str:
    return " ".join(f"w{word:x}q" for word in words)


@dataclass(frozen=True)
class Figures:
    """Of one index with so many chunks."""

    per_second: float
    cold: float
    p50: float
    p99: float
    cpu: float
    """Milliseconds of processor time of this process for one search."""
    filtered: float
    recall: float
    memory: float
    disk: float


async def measure(plan: Plan) -> Findings:
    columns = (
        "",
        "chunks",
        "indexed/s",
        "first search s",
        "p50 ms",
        "p99 ms",
        "CPU ms",
        "filtered p50",
        "recall@10",
        "B RAM",
        "B disk",
    )
    found = Findings(f"Hybrid searches, {DIMENSION} dimensions, {LIMIT} hits", columns)
    for chunks in plan.chunks:
        folder = plan.disk / f"index-{chunks}"
        folder.mkdir()
        figures = await run(SqliteIndex(folder / "index.db"), chunks, plan.searches, partial(size_of, folder))
        show(found, "sqlite", chunks, figures)
        if chunks == GOAL:
            found.at_most(f"p50 of a search in {GOAL:,} chunks is at most 20 ms", figures.p50, 20, " ms")
            found.at_most("its p99 is at most 50 ms", figures.p99, 50, " ms")
            found.at_least("recall@10 is at least 0.98", figures.recall, 0.98)
    async with AsyncExitStack() as stack:
        plan.disk.chmod(0o711)  # PostgreSQL may run as another user
        server = Server(plan.disk, **DURABLE, shared_buffers="256MB")
        stack.callback(server.remove)
        server.start()
        for chunks in plan.postgres_chunks:
            schema = f"index_{chunks}"
            await upgrade(server.url, schema, check=False)
            tables = server.folder / "data" / "base"
            before = size_of(tables)
            index = PostgresIndex(server.url, schema=schema)
            figures = await run(index, chunks, plan.searches, lambda: size_of(tables) - before)  # noqa: B023
            show(found, "postgres", chunks, figures)
    found.note = "RAM and disk are per chunk; RAM is that of this process. A chunk has 120 words, about 700 bytes."
    return found


def show(found: Findings, name: str, chunks: int, figures: Figures) -> None:
    found.row(
        *(
            name,
            f"{chunks:,}",
            figures.per_second,
            figures.cold,
            figures.p50,
            figures.p99,
            figures.cpu,
            figures.filtered,
        ),
        *(f"{figures.recall:.3f}", figures.memory, figures.disk),
    )


async def run(index: Index, chunks: int, searches: int, disk: Callable[[], int]) -> Figures:
    library, files = Library(), chunks // PER_FILE
    await index.start()
    per_second = await fill(index, library, files)
    await index.stop()  # which writes everything to its place, and frees memory
    size = disk()
    await index.start()
    before = resident(os.getpid())
    queries = list(library.queries(files, searches))
    cold = (await timed(index, queries[:1]))[0] / 1000
    used = process_time()
    times = sorted(await timed(index, queries))
    used = (process_time() - used) * 1000 / len(queries)
    quarter = LessFilter(key="number", value=files / 4)
    filtered = sorted(await timed(index, queries[: searches // 2], quarter))
    memory = max(0, resident(os.getpid()) - before)
    recall = await recalled(index, library, files)
    await index.stop()
    return Figures(
        per_second,
        cold,
        times[len(times) // 2],
        times[int(len(times) * 0.99)],
        used,
        filtered[len(filtered) // 2],
        recall,
        memory / chunks,
        size / chunks,
    )


async def fill(index: Index, library: Library, files: int) -> float:
    """Chunks a second, without the time in which they are made up."""
    seconds = 0.0
    for number in range(files):
        part = library.file(number)
        chunks = [
            IndexedChunk(number=place, start=0, end=1, text=text(words)) for place, words in enumerate(part.words)
        ]
        entry = Entry(project="p", store_id="vs", file_id=f"file_{number}", version="1")
        started = perf_counter()
        await index.add(entry, chunks, part.vectors)
        await index.publish(entry, {"number": number})
        seconds += perf_counter() - started
    return files * PER_FILE / seconds


async def timed(index: Index, queries: Sequence[tuple[str, Vectors]], filters: Filter | None = None) -> list[float]:
    """Milliseconds of each search, one after the other."""
    times = []
    for words, vector in queries:
        query = Query(project="p", store_ids=["vs"], text=words, vector=vector, limit=LIMIT, filters=filters)
        started = perf_counter()
        hits = await index.search(query)
        times.append((perf_counter() - started) * 1000)
        assert len(hits) == LIMIT
    return times


async def recalled(index: Index, library: Library, files: int) -> float:
    """The share of the truly most similar chunks that searches by vector find."""
    vectors = np.array([vector for _, vector in library.queries(files, RECALL_SEARCHES)])
    best: list[list[tuple[float, str, int]]] = [[] for _ in vectors]
    for number in range(files):
        cosines = library.file(number).vectors @ vectors.T
        for place, column in enumerate(cosines.T):
            top = np.argpartition(-column, LIMIT)[:LIMIT]
            found = [(-float(column[chunk]), f"file_{number}", int(chunk)) for chunk in top]
            best[place] = sorted(best[place] + found)[:LIMIT]
    shares = []
    for vector, exact in zip(vectors, best, strict=True):
        query = Query(project="p", store_ids=["vs"], text="", vector=vector, limit=LIMIT)
        hits = {(hit.file_id, hit.chunk.number) for hit in await index.search(query)}
        shares.append(len(hits & {(file, chunk) for _, file, chunk in exact}) / LIMIT)
    return float(np.mean(shares))


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # a database deletes files at any time
            continue
    return total
