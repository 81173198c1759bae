"""The calls for models."""

from runstead.client._async.calls import AsyncCalls
from runstead.wire.endpoints import models as endpoint
from runstead.wire.model import Model, ModelList

__all__ = ["AsyncModels"]


class AsyncModels(AsyncCalls):
    """`runstead.interface.Models`."""

    async def models(self) -> ModelList:
        return await self._transport.call(endpoint.MODELS, {})

    async def get_model(self, model: str) -> Model:
        return await self._transport.call(endpoint.GET_MODEL, {"model": model})
