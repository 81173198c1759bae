# Generated from src/runstead/client/_async/embeddings.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The call that embeds texts."""

from runstead.client._sync.calls import Calls
from runstead.wire.embedding import EmbeddingList, EmbeddingRequest
from runstead.wire.endpoints import embeddings as endpoint

__all__ = ["Embeddings"]


class Embeddings(Calls):
    """`runstead.interface.Embeddings`."""

    def embeddings(self, request: EmbeddingRequest) -> EmbeddingList:
        return self._transport.call(endpoint.EMBEDDINGS, {}, body=request)
