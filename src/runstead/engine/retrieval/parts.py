"""The parts of retrieval: the reader of documents, the index, the embeddings, and the search over them."""

import asyncio

from msgspec import Struct, field

from runstead.blobs.port import Blobs
from runstead.engine.retrieval.search import StoreSearch
from runstead.retrieval.documents.port import DocumentReader
from runstead.retrieval.embeddings.port import Embeddings
from runstead.retrieval.index.port import Index
from runstead.wire.error import BadRequest

__all__ = ["Retrieval", "required"]


class Retrieval(Struct, frozen=True, kw_only=True):
    """The parts of retrieval."""

    reader: DocumentReader
    index: Index
    blobs: Blobs
    embeddings: Embeddings | None
    """None searches files by their words alone."""
    search: StoreSearch
    workers: int = 2
    """Files that this process ingests at once."""
    due: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a file of this process became due."""

    def wake(self) -> None:
        """Make the ingestion poll for due files at once."""
        self.due.set()


def required(retrieval: Retrieval | None) -> Retrieval:
    """The parts, or `BadRequest` where the server runs without them."""
    if retrieval is None:
        raise BadRequest("This server cannot search files: pip install 'runstead[files]'", code="unsupported_parameter")
    return retrieval
