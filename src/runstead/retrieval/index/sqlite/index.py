"""The index over one file: a writer with a thread of its own, and a few threads that search.

Nothing runs on the event loop, and nothing shares a lock or a file with the store of the runs.
"""

import asyncio
import logging
import os
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from runstead.retrieval.index.port import Attributes, Entry, Hit, IndexedChunk, Query, Vectors
from runstead.retrieval.index.sqlite import searching, writing
from runstead.retrieval.index.sqlite.file import IndexFile
from runstead.retrieval.index.sqlite.graph import GraphRow
from runstead.retrieval.index.sqlite.graph_builder import GraphBuilder, sweep
from runstead.retrieval.index.sqlite.loaded_stores import LoadedStores
from runstead.retrieval.index.unit_vectors import check_chunks
from runstead.wire.error import Closed, RunsteadError

__all__ = ["SqliteIndex"]

_log = logging.getLogger("runstead.index")

_P = ParamSpec("_P")
T = TypeVar("T")

_MEMORY = 1 << 30
"""Bytes of vectors that are kept in memory."""
_SCANNED = 200_000
"""Chunks whose vectors are compared in 10 to 20 ms on two cores."""
_READERS = max(2, min(4, os.cpu_count() or 2))


class SqliteIndex:
    """`port.Index` in a file, which one process at a time should write. Without a path it is temporary."""

    def __init__(self, path: Path | None, *, memory: int = _MEMORY, scanned: int = _SCANNED) -> None:
        """Up to `memory` bytes of vectors are kept in memory. A store of more than `scanned` chunks gets a graph."""
        self._path = path
        self._temporary: str | None = None
        self._memory = memory
        self._scanned = scanned
        self._open: _Open | None = None

    def __repr__(self) -> str:
        return f"SqliteIndex({str(self._path) if self._path else None!r})"

    async def start(self) -> None:
        path = self._path
        if path is None:
            self._temporary = await asyncio.to_thread(tempfile.mkdtemp, prefix="runstead-index-")
            path = Path(self._temporary) / "index.db"
        file = IndexFile(path)
        await asyncio.to_thread(file.prepare)
        self._open = await asyncio.to_thread(_Open, file, self._memory, self._scanned)
        self._open.purge()

    async def stop(self) -> None:
        opened, self._open = self._open, None
        if opened is not None:
            await asyncio.to_thread(opened.close)
        if self._temporary is not None:
            await asyncio.to_thread(shutil.rmtree, self._temporary, ignore_errors=True)
            self._temporary = None

    async def add(self, entry: Entry, chunks: Sequence[IndexedChunk], vectors: "Vectors | None") -> None:
        check_chunks(chunks, vectors)
        await self._write(writing.add, entry, chunks, vectors)

    async def publish(self, entry: Entry, attributes: Attributes) -> None:
        store = await self._write(writing.publish, entry, attributes)
        self._opened.purge()
        self._opened.graphs.consider(store)

    async def discard(self, entry: Entry) -> None:
        await self._write(writing.discard, entry)
        self._opened.purge()

    async def set_attributes(self, project: str, store_id: str, file_id: str, attributes: Attributes) -> None:
        await self._write(writing.set_attributes, project, store_id, file_id, attributes)

    async def remove_file(self, project: str, store_id: str, file_id: str) -> None:
        await self._write(writing.remove_file, project, store_id, file_id)
        self._opened.purge()

    async def remove_store(self, project: str, store_id: str) -> None:
        number = await self._write(writing.remove_store, project, store_id)
        if number is not None:
            self._opened.loaded.drop(number)
            self._opened.graphs.consider(number)
        self._opened.purge()

    async def search(self, query: Query) -> Sequence[Hit]:
        return await self._read(searching.search, self._opened.loaded, query)

    async def size(self, project: str, store_id: str) -> int:
        return await self._read(searching.size, project, store_id)

    async def published(self, project: str, store_id: str) -> Mapping[str, str]:
        return await self._read(searching.published, project, store_id)

    @property
    def _opened(self) -> "_Open":
        if self._open is None:
            raise Closed("the search index is not open")
        return self._open

    async def _write(
        self, work: Callable[Concatenate[sqlite3.Connection, _P], T], *args: _P.args, **kwargs: _P.kwargs
    ) -> T:
        opened = self._opened
        return await asyncio.wrap_future(
            opened.writer.submit(opened.in_transaction, lambda connection: work(connection, *args, **kwargs))
        )

    async def _read(
        self, work: Callable[Concatenate[sqlite3.Connection, _P], T], *args: _P.args, **kwargs: _P.kwargs
    ) -> T:
        opened = self._opened
        return await asyncio.wrap_future(
            opened.readers.submit(opened.reading, lambda connection: work(connection, *args, **kwargs))
        )


class _Open:
    """The threads of an open index, and their connections."""

    def __init__(self, file: IndexFile, memory: int, scanned: int) -> None:
        self._file = file
        sweep(file)
        self.graphs = GraphBuilder(file, scanned, self._commit_graph)
        self.loaded = LoadedStores(memory, file.path.parent, partial(self.graphs.consider, damaged=True))
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="index-writer")
        self.readers = ThreadPoolExecutor(_READERS, thread_name_prefix="index-reader")
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._purging = False
        self._closing = False

    def in_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of work that is committed. For the writer's thread."""
        with self._file.errors("write to"):
            connection = self._connection(reading=False)
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # some errors have ended it already
                    connection.execute("ROLLBACK")
                raise
            return result

    def reading(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """The result of work that only reads. For a reader's thread."""
        with self._file.errors("read"):
            return work(self._connection(reading=True))

    def purge(self) -> None:
        """Delete removed rows, a portion at a time, each behind the writes that wait by then."""
        if not self._purging and not self._closing:
            self._purging = True
            self.writer.submit(self._purge_portion)

    def close(self) -> None:
        """End the threads after their current work, and close their connections."""
        self._closing = True
        self.graphs.close()
        self.writer.shutdown()
        self.readers.shutdown()
        for connection in self._connections:
            connection.close()

    def _purge_portion(self) -> None:
        self._purging = False
        try:
            more = not self._closing and self.in_transaction(writing.purge)
        except RunsteadError as error:
            # The rows stay invisible. The next removal or start deletes them.
            _log.warning("removed passages could not be deleted", extra={"error": str(error)})
            return
        if more:
            self.purge()

    def _commit_graph(self, store: int, dimension: int, row: GraphRow) -> None:
        work = partial(writing.write_graph_row, store=store, dimension=dimension, row=row)
        self.writer.submit(self.in_transaction, work).result()

    def _connection(self, *, reading: bool) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._file.connect(reading=reading)
            self._local.connection = connection
            self._connections.append(connection)
        return connection
