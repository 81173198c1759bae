"""The call that embeds texts."""

from runstead.client._async.calls import AsyncCalls
from runstead.wire.embedding import EmbeddingList, EmbeddingRequest
from runstead.wire.endpoints import embeddings as endpoint

__all__ = ["AsyncEmbeddings"]


class AsyncEmbeddings(AsyncCalls):
    """`runstead.interface.Embeddings`."""

    async def embeddings(self, request: EmbeddingRequest) -> EmbeddingList:
        return await self._transport.call(endpoint.EMBEDDINGS, {}, body=request)
