"""Search in several vector stores at once, with several queries at once."""

import logging
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from runstead.retrieval.embeddings.port import EmbeddingError, Embeddings
from runstead.retrieval.index.port import Attributes, Hit, Index, Query
from runstead.store.port import Lane, Store, Tx, VectorStoreRow
from runstead.wire.filter import Filter
from runstead.wire.hybrid import HybridWeights
from runstead.wire.search import SearchRanking
from runstead.wire.struct import UNSET

__all__ = ["Clock", "Found", "StoreSearch"]

_log = logging.getLogger("runstead.retrieval")

_SEARCHED = ("completed", "in_progress")
"""Statuses of files that a search finds. A file in progress is found as it was, until it is indexed again."""
_MAX_HINTS = 1000
"""Stores for which the hint to index them again is logged once."""
_MAX_QUERY = 4_000
"""Characters of a query that are embedded: as many as its words are taken from."""
_USE_INTERVAL = 60
"""Seconds after which a search records again that its stores were used."""


class Clock(Protocol):
    """The clock of the store."""

    def time(self) -> float: ...


class Found(Struct, frozen=True, kw_only=True):
    """A passage that was found, with the file that it is from."""

    store_id: str
    file_id: str
    file_name: str
    attributes: Attributes
    score: float
    """From 0 to 1."""
    text: str
    start: int
    end: int
    """Where the passage is in the stored text of the file, in characters."""
    heading: str
    place: str | None
    """A page or a sheet."""


class StoreSearch:
    """Searches the completed files of vector stores."""

    def __init__(self, store: Store, index: Index, embeddings: Embeddings | None, clock: Clock) -> None:
        self._store = store
        self._index = index
        self._embeddings = embeddings
        self._clock = clock
        self._hinted: set[str] = set()

    async def search(
        self,
        project: str,
        store_ids: Sequence[str],
        queries: Sequence[str],
        *,
        limit: int,
        filters: Filter | None = None,
        ranking: SearchRanking | None = None,
    ) -> Sequence[Found]:
        """The best passages of all queries, best first. Stores that do not exist or have expired have none.

        A store whose vectors are of another model than the configured one is searched by its words alone, and so is
        every store while the model cannot be reached.
        """
        now = int(self._clock.time())
        stores = await self._stores(project, store_ids, now)
        dense = _weights(ranking).embedding_weight > 0 and any(map(self._comparable, stores))
        vectors = await self._vectors(queries) if dense else None
        best: dict[tuple[str, str, int], Hit] = {}
        for comparable in (True, False):
            ids = [row.id for row in stores if self._comparable(row) is comparable]
            for position, text in enumerate(queries if ids else ()):
                vector = vectors[position] if comparable and vectors is not None else None
                _keep_best(best, await self._index.search(_query(project, ids, text, vector, limit, filters, ranking)))
        hits = sorted(best.values(), key=lambda hit: hit.score, reverse=True)
        await self._record_use(project, stores, now)
        return (await self._named(project, hits, now))[:limit]

    async def _stores(self, project: str, store_ids: Sequence[str], now: int) -> list[VectorStoreRow]:
        async def work(tx: Tx) -> list[VectorStoreRow]:
            rows = [await tx.vector_stores.get(project, id, now) for id in dict.fromkeys(store_ids)]
            return [row for row in rows if row is not None and row.store.status != "expired"]

        return await self._store.read(work)

    def _comparable(self, row: VectorStoreRow) -> bool:
        """Whether the store's vectors are of the configured model."""
        if self._embeddings is None or row.embedding_model is None:
            return False
        if row.embedding_model == self._embeddings.model:
            return True
        if row.id not in self._hinted and len(self._hinted) < _MAX_HINTS:
            self._hinted.add(row.id)
            _log.warning(
                "a vector store is searched by its words alone, because its vectors are of another model: run "
                "`runstead reindex`",
                extra={"vector_store": row.id, "its_model": row.embedding_model, "model": self._embeddings.model},
            )
        return False

    async def _vectors(self, queries: Sequence[str]) -> Any:
        assert self._embeddings is not None
        try:
            return await self._embeddings.embed([query[:_MAX_QUERY] for query in queries], purpose="query")
        except EmbeddingError as error:
            _log.warning("a query is searched by its words alone: the embedding model failed: %s", error.message)
            return None

    async def _named(self, project: str, hits: Sequence[Hit], now: int) -> list[Found]:
        """The hits whose files still exist, with their names and attributes."""

        async def work(tx: Tx) -> list[Found]:
            files = await tx.files.get_many(project, list({hit.file_id for hit in hits}), now)
            attributes: dict[tuple[str, str], Attributes] = {}
            for store_id in {hit.store_id for hit in hits}:
                of_store = [hit.file_id for hit in hits if hit.store_id == store_id]
                for id, file in (await tx.store_files.get_many(project, store_id, of_store)).items():
                    if file.status in _SEARCHED:
                        attributes[store_id, id] = file.attributes
            return [
                _found(hit, files[hit.file_id].file.filename, attributes[hit.store_id, hit.file_id])
                for hit in hits
                if hit.file_id in files and (hit.store_id, hit.file_id) in attributes
            ]

        return await self._store.read(work) if hits else []

    async def _record_use(self, project: str, stores: Iterable[VectorStoreRow], now: int) -> None:
        """Record that the stores were used, at most once a minute."""
        used = [row.id for row in stores if now - row.store.last_active_at >= _USE_INTERVAL]
        if not used:
            return

        async def work(tx: Tx) -> None:
            for id in used:
                await tx.vector_stores.use(project, id, now)

        await self._store.write(work, lane=Lane.MAINTENANCE)


def _query(
    project: str,
    store_ids: Sequence[str],
    text: str,
    vector: Any,
    limit: int,
    filters: Filter | None,
    ranking: SearchRanking | None,
) -> Query:
    weights = _weights(ranking)
    return Query(
        project=project,
        store_ids=store_ids,
        text=text,
        vector=vector,
        limit=limit,
        filters=filters,
        embedding_weight=weights.embedding_weight,
        text_weight=weights.text_weight,
        threshold=0.0 if ranking is None else ranking.score_threshold,
    )


def _weights(ranking: SearchRanking | None) -> HybridWeights:
    weights = None if ranking is None else ranking.hybrid_search
    return HybridWeights() if weights is None or weights is UNSET else weights


def _keep_best(best: dict[tuple[str, str, int], Hit], hits: Sequence[Hit]) -> None:
    """Keep each passage once, with its highest score."""
    for hit in hits:
        key = hit.store_id, hit.file_id, hit.chunk.number
        if key not in best or best[key].score < hit.score:
            best[key] = hit


def _found(hit: Hit, file_name: str, attributes: Attributes) -> Found:
    return Found(
        store_id=hit.store_id,
        file_id=hit.file_id,
        file_name=file_name,
        attributes=attributes,
        score=hit.score,
        text=hit.chunk.text,
        start=hit.chunk.start,
        end=hit.chunk.end,
        heading=hit.chunk.heading,
        place=hit.chunk.place,
    )
