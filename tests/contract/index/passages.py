"""Short ways to fill an index and to ask it."""

import zlib
from collections.abc import Sequence

import numpy as np

from runstead.retrieval.index.port import Attributes, Entry, Hit, Index, IndexedChunk, Query, Vectors
from runstead.wire.filter import Filter

__all__ = ["DIMENSION", "NO_VECTORS", "chunks_of", "entry", "fill", "found", "search", "vector", "vectors"]

DIMENSION = 384
NO_VECTORS = None


def entry(file_id: str, version: str = "1", *, store: str = "vs_1", project: str = "proj_1") -> Entry:
    return Entry(project=project, store_id=store, file_id=file_id, version=version)


def vector(seed: str) -> Vectors:
    """The direction of a word. Those of two words are almost at right angles."""
    generator = np.random.default_rng(zlib.crc32(seed.encode()))
    return generator.normal(size=DIMENSION).astype(np.float32)


def vectors(seeds: Sequence[str]) -> Vectors:
    return np.array([vector(seed) for seed in seeds], dtype=np.float32).reshape(-1, DIMENSION)


def chunks_of(texts: Sequence[str], first: int = 0) -> list[IndexedChunk]:
    return [
        IndexedChunk(number=number, start=number * 1000, end=number * 1000 + len(text), text=text)
        for number, text in enumerate(texts, first)
    ]


async def fill(
    index: Index,
    what: Entry,
    texts: Sequence[str],
    attributes: Attributes | None = None,
    *,
    seeds: Sequence[str] | None = None,
) -> None:
    """Add and publish. Without `seeds` the chunks have no vectors."""
    await index.add(what, chunks_of(texts), NO_VECTORS if seeds is None else vectors(seeds))
    await index.publish(what, attributes or {})


async def search(
    index: Index,
    text: str = "",
    *,
    stores: Sequence[str] = ("vs_1",),
    project: str = "proj_1",
    seed: str | None = None,
    limit: int = 10,
    filters: Filter | None = None,
    embedding_weight: float = 1.0,
    text_weight: float = 1.0,
    threshold: float = 0.0,
) -> Sequence[Hit]:
    return await index.search(
        Query(
            project=project,
            store_ids=list(stores),
            text=text,
            vector=None if seed is None else vector(seed),
            limit=limit,
            filters=filters,
            embedding_weight=embedding_weight,
            text_weight=text_weight,
            threshold=threshold,
        )
    )


async def found(
    index: Index, text: str = "", *, stores: Sequence[str] = ("vs_1",), seed: str | None = None
) -> list[str]:
    """The texts of the hits, best first."""
    return [hit.chunk.text for hit in await search(index, text, stores=stores, seed=seed)]
