"""The approximate index of a large store: when it is written, its results, and the repair of a damaged one."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from runstead.retrieval.index.port import Query, Vectors
from runstead.retrieval.index.sqlite import SqliteIndex
from runstead.wire.filter import Filter, LessFilter
from tests.contract.index.passages import chunks_of, entry
from tests.support.waiting import until

SCANNED = 1000
PER_FILE = 250
FILES = 20
DIMENSION = 64


def clustered(count: int, seed: int) -> Vectors:
    """Vectors around 100 centres, as those of texts about 100 subjects."""
    centres = np.random.default_rng(0).normal(size=(100, DIMENSION))
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(count, DIMENSION))
    return (centres[generator.integers(0, 100, count)] + 0.7 * noise).astype(np.float32)


async def fill(index: SqliteIndex, files: Sequence[int]) -> None:
    for number in files:
        texts = [f"passage {number} {part}" for part in range(PER_FILE)]
        await index.add(entry(f"file_{number}"), chunks_of(texts), clustered(PER_FILE, number))
        await index.publish(entry(f"file_{number}"), {"number": number})


def graphs(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.graph-*"))


async def similar(index: SqliteIndex, vector: Vectors, filters: Filter | None = None) -> set[str]:
    query = Query(project="proj_1", store_ids=["vs_1"], text="", vector=vector, limit=10, filters=filters)
    return {hit.chunk.text for hit in await index.search(query)}


async def recall(index: SqliteIndex, files: Sequence[int], filters: Filter | None = None) -> float:
    """The share of the 10 most similar passages of these files that a search finds, over 40 searches."""
    rows = np.concatenate([clustered(PER_FILE, number) for number in files])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    texts = [f"passage {number} {part}" for number in files for part in range(PER_FILE)]
    shares = []
    for vector in clustered(40, 1000):
        exact = {texts[place] for place in np.argsort(-(rows @ vector))[:10]}
        shares.append(len(exact & await similar(index, vector, filters)) / 10)
    return float(np.mean(shares))


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SqliteIndex]:
    index = SqliteIndex(tmp_path / "index.db", scanned=SCANNED)
    await index.start()
    yield index
    await index.stop()


async def test_a_graph_finds_the_passages_of_a_scan(index: SqliteIndex, tmp_path: Path) -> None:
    await fill(index, range(4))
    assert graphs(tmp_path) == []  # 1,000 chunks are scanned
    await fill(index, range(4, FILES))
    await until(lambda: _covered(index) >= FILES * PER_FILE - SCANNED // 2)
    await until(lambda: len(graphs(tmp_path)) == 1)  # a graph that is replaced is deleted
    assert graphs(tmp_path)[0].stat().st_mode & 0o777 == 0o600
    assert await recall(index, range(FILES)) >= 0.98
    few, many = LessFilter(key="number", value=1), LessFilter(key="number", value=15)
    assert await recall(index, range(1), few) >= 0.98
    assert await recall(index, range(15), many) >= 0.98

    for number in range(10):
        await index.remove_file("proj_1", "vs_1", f"file_{number}")
    assert await recall(index, range(10, FILES)) >= 0.98
    await index.remove_store("proj_1", "vs_1")
    assert await similar(index, clustered(1, 5)[0]) == set()
    await until(lambda: graphs(tmp_path) == [])


@pytest.mark.parametrize("damage", ["missing", "cut", "changed"])
async def test_a_damaged_graph_is_written_anew(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    first = SqliteIndex(tmp_path / "index.db", scanned=SCANNED)
    await first.start()
    await fill(first, range(8))
    await until(lambda: _covered(first) >= 8 * PER_FILE - SCANNED // 2)
    await first.stop()
    (path,) = graphs(tmp_path)  # one that was not finished is deleted
    match damage:
        case "missing":
            path.unlink()
        case "cut":
            os.truncate(path, path.stat().st_size // 2)
        case _:
            with path.open("r+b") as file:
                file.seek(5000)
                file.write(b"\xff" * 50)
    second = SqliteIndex(tmp_path / "index.db", scanned=SCANNED)
    await second.start()
    with caplog.at_level(logging.WARNING, "runstead.index"):
        assert await recall(second, range(8)) >= 0.98  # by a scan
    assert "a graph of the search index is written anew" in caplog.text
    await until(lambda: graphs(tmp_path) not in ([], [path]))
    assert await recall(second, range(8)) >= 0.98
    await second.stop()


async def test_an_index_stops_while_it_writes_a_graph(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "index.db", scanned=SCANNED)
    await index.start()
    await fill(index, range(FILES))
    await index.stop()
    unfinished = tmp_path / "index.db.graph-1-64-00000000"
    unfinished.touch()
    again = SqliteIndex(tmp_path / "index.db", scanned=SCANNED)
    await again.start()
    assert unfinished not in graphs(tmp_path)
    assert await recall(again, range(FILES)) >= 0.98
    await asyncio.wait_for(again.stop(), 10)


def _covered(index: SqliteIndex) -> int:
    """The number of vectors in the store's graph."""
    opened = index._open
    assert opened is not None
    connection = opened._file.connect(reading=True)
    row = connection.execute("SELECT entries FROM graphs").fetchone()
    connection.close()
    return 0 if row is None else len(np.frombuffer(row[0], dtype=np.int64)) * PER_FILE
