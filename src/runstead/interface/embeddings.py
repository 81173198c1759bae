"""The interface of embeddings."""

from typing import Protocol

from runstead.wire.embedding import EmbeddingList, EmbeddingRequest

__all__ = ["Embeddings"]


class Embeddings(Protocol):
    """Texts as vectors, by the model that also indexes files."""

    async def embeddings(self, request: EmbeddingRequest) -> EmbeddingList:
        """Embed texts. A long text is embedded in windows, never cut.

        `BadRequest` for an empty text, lists of tokens, more texts or characters than a request may have, and
        dimensions that are not the model's. `NotFound` if the server has no embedding model. `RateLimited` or
        `ServerError` if the model's server is overloaded or fails.
        """
        ...
