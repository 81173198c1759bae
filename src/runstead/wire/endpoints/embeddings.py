"""The call that embeds texts."""

from runstead.wire.embedding import EmbeddingList, EmbeddingRequest
from runstead.wire.endpoints.endpoint import Endpoint, Nothing

__all__ = ["EMBEDDINGS"]

EMBEDDINGS: Endpoint[Nothing, EmbeddingRequest, EmbeddingList] = Endpoint(
    name="embeddings",
    method="POST",
    path="/embeddings",
    body=EmbeddingRequest,
    reply=EmbeddingList,
    beta=False,
)
