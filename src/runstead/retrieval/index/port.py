"""The index: which passages of which files answer a query.

It is derived. Everything in it can be made again from the stored files, so it may be lost: an adapter whose file or
tables are damaged starts empty, and `published` lists its entries.

A file becomes visible in one step. `add` writes the chunks of an entry, any number of times, and no search finds them.
`publish` makes the entry visible and removes the older entries of the same file in the same transaction. Removed rows
are never found again. They are deleted afterwards, in portions.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

from msgspec import Struct

from runstead.wire.error import RunsteadError
from runstead.wire.filter import Filter

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MAX_CHUNKS", "Attributes", "Entry", "EntryRemoved", "Hit", "Index", "IndexedChunk", "Query", "Vectors"]

MAX_CHUNKS = 1 << 20
"""Chunks of one entry, at most."""

Vectors: TypeAlias = "NDArray[np.float32]"
"""One row for each chunk. Rows need not have the length 1: only their direction counts."""
Attributes: TypeAlias = Mapping[str, str | float | bool]
"""The attributes of a file, which filters compare."""


class IndexedChunk(Struct, frozen=True, kw_only=True):
    """A passage of a file's text."""

    number: int
    """Its position among the chunks of the file, from 0. At most `MAX_CHUNKS - 1`."""
    start: int
    end: int
    """Where it is in the stored text of the file, in characters: `text[start:end]`."""
    text: str
    heading: str = ""
    """The headings above it, which are searched too."""
    place: str | None = None
    """A page or a sheet, as a citation shows it."""


class Entry(Struct, frozen=True, kw_only=True):
    """One indexing of one file in one vector store."""

    project: str
    store_id: str
    file_id: str
    version: str
    """Unique for each attempt to index the file."""


class EntryRemoved(RunsteadError):
    """The entry was removed, and cannot be published any more. Another attempt needs another version."""


class Query(Struct, frozen=True, kw_only=True):
    """The terms of a search, and the stores to search."""

    project: str
    store_ids: Sequence[str]
    text: str
    """Data, never a query language. The terms in it are searched, up to a number that the adapter bounds."""
    vector: "Vectors | None"
    """The embedding of the text, one row without a second dimension. Without it the search is lexical alone."""
    limit: int
    filters: Filter | None = None
    embedding_weight: float = 1.0
    text_weight: float = 1.0
    """Weights of the two sides relative to each other, at least 0. A side with weight 0 is left out."""
    threshold: float = 0.0
    """The lowest score of a hit."""


class Hit(Struct, frozen=True, kw_only=True):
    """A passage that was found."""

    store_id: str
    file_id: str
    chunk: IndexedChunk
    score: float
    """From 0 to 1; `fusion` says what it means."""


class Index(Protocol):
    """Passages with their terms and vectors, by project and vector store.

    Every method raises `Unreachable` while the index cannot be reached and a later try may succeed.
    """

    async def start(self) -> None:
        """Open the index. A damaged one is replaced by an empty one where that is possible, with a line in the log."""

    async def stop(self) -> None:
        """Close the index. Methods that are under way end first."""

    async def add(self, entry: Entry, chunks: Sequence[IndexedChunk], vectors: "Vectors | None") -> None:
        """Write chunks of an entry that is not published yet. No search finds them.

        A chunk whose number is there already is replaced, so an attempt that was interrupted may be repeated. `vectors`
        has a row for each chunk. Without it the chunks are found by their terms alone. Raises `EntryRemoved`
        if the entry or its file or store was removed meanwhile, or another entry of the file was published.
        """

    async def publish(self, entry: Entry, attributes: Attributes) -> None:
        """Make an entry visible and remove the file's other entries, both in one transaction.

        To publish an entry again sets its attributes. Raises `EntryRemoved` as `add` does, and for an entry that the
        index does not know: to publish a file without chunks, add none.
        """

    async def discard(self, entry: Entry) -> None:
        """Remove the chunks of an entry that was not published. Does nothing if it was, or is unknown."""

    async def set_attributes(self, project: str, store_id: str, file_id: str, attributes: Attributes) -> None:
        """Replace the attributes of a visible file. Does nothing if the file is not visible."""

    async def remove_file(self, project: str, store_id: str, file_id: str) -> None:
        """Remove all entries of a file, also those that are not published yet."""

    async def remove_store(self, project: str, store_id: str) -> None:
        """Remove all entries of a vector store."""

    async def search(self, query: Query) -> Sequence[Hit]:
        """The best passages, best first; `query.limit` at most."""

    async def size(self, project: str, store_id: str) -> int:
        """The number of visible chunks."""

    async def published(self, project: str, store_id: str) -> Mapping[str, str]:
        """The version of every visible file. A file that is missing here needs to be indexed again."""
