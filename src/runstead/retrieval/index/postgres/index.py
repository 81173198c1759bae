"""The index in one schema of a database, whose tables the store's migrations make.

Any number of processes use it at once, and each finds what another one has published.
"""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence

from runstead.retrieval.index.port import Attributes, Entry, Hit, IndexedChunk, Query, Vectors
from runstead.retrieval.index.postgres import searching, writing
from runstead.retrieval.index.postgres.connections import Connections
from runstead.retrieval.index.terms import query_terms
from runstead.retrieval.index.unit_vectors import check_chunks, unit_vectors
from runstead.wire.error import RunsteadError

__all__ = ["PostgresIndex"]

_log = logging.getLogger("runstead.index")

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_EXACT = 20_000
"""Chunks up to which vectors are compared one by one: they take about as long as the approximate index."""


class PostgresIndex:
    """`port.Index` over the tables `index_…` of a schema."""

    def __init__(self, url: str, *, schema: str = "runstead", connections: int = 4, exact: int = _EXACT) -> None:
        if not _SCHEMA.fullmatch(schema):
            raise RunsteadError(f"a schema is named in lower case, without quotes, not {schema!r}")
        self._schema = schema
        self._connections = Connections(url, schema, connections)
        self._exact = exact
        self._purging: asyncio.Task[None] | None = None
        self._again = False

    def __repr__(self) -> str:
        return f"PostgresIndex(schema={self._schema!r})"

    async def start(self) -> None:
        await self._connections.open()
        self._purge()

    async def stop(self) -> None:
        purging, self._purging = self._purging, None
        if purging is not None:
            purging.cancel()
            await asyncio.wait([purging])
        await self._connections.close()

    async def add(self, entry: Entry, chunks: Sequence[IndexedChunk], vectors: "Vectors | None") -> None:
        check_chunks(chunks, vectors)
        terms = await asyncio.to_thread(writing.prepared_terms, chunks)
        async with self._connections.transaction("write to") as connection:
            await writing.add(connection, entry, chunks, terms, vectors)

    async def publish(self, entry: Entry, attributes: Attributes) -> None:
        async with self._connections.transaction("write to") as connection:
            await writing.publish(connection, entry, attributes)
        self._purge()

    async def discard(self, entry: Entry) -> None:
        async with self._connections.transaction("write to") as connection:
            await writing.discard(connection, entry)
        self._purge()

    async def set_attributes(self, project: str, store_id: str, file_id: str, attributes: Attributes) -> None:
        async with self._connections.transaction("write to") as connection:
            await writing.set_attributes(connection, project, store_id, file_id, attributes)

    async def remove_file(self, project: str, store_id: str, file_id: str) -> None:
        async with self._connections.transaction("write to") as connection:
            await writing.remove_file(connection, project, store_id, file_id)
        self._purge()

    async def remove_store(self, project: str, store_id: str) -> None:
        async with self._connections.transaction("write to") as connection:
            await writing.remove_store(connection, project, store_id)
        self._purge()

    async def search(self, query: Query) -> Sequence[Hit]:
        terms = query_terms(query.text) if query.text_weight else []
        vector = unit_vectors(query.vector)[0] if query.vector is not None and query.embedding_weight else None
        async with self._connections.transaction("read", reading=True) as connection:
            return await searching.search(connection, query, terms, vector, self._exact)

    async def size(self, project: str, store_id: str) -> int:
        async with self._connections.transaction("read", reading=True) as connection:
            return await searching.size(connection, project, store_id)

    async def published(self, project: str, store_id: str) -> Mapping[str, str]:
        async with self._connections.transaction("read", reading=True) as connection:
            return await searching.published(connection, project, store_id)

    def _purge(self) -> None:
        """Delete removed rows beside everything else, one portion after the other."""
        self._again = True
        if self._purging is None or self._purging.done():
            self._purging = asyncio.create_task(self._purge_all())  # noqa: TID251 - ended by `stop`

    async def _purge_all(self) -> None:
        while self._again:
            self._again = False
            try:
                more = True
                while more:
                    async with self._connections.transaction("write to") as connection:
                        more = await writing.purge(connection)
            except RunsteadError as error:
                # The rows stay invisible. The next removal or start deletes them.
                _log.warning("removed passages could not be deleted", extra={"error": str(error)})
