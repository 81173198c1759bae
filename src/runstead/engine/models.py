"""Models, over the model port."""

from runstead.engine.bound import Bound
from runstead.wire.error import NotFound
from runstead.wire.model import Model
from runstead.wire.page import ModelList

__all__ = ["Models"]


class Models(Bound):
    """Implements `interface.Models`."""

    async def models(self) -> ModelList:
        return ModelList(data=list(await self._ports.model.models()))

    async def get_model(self, model: str) -> Model:
        for known in await self._ports.model.models():
            if known.id == model:
                return known
        if self._ports.model.takes(model):
            return Model(id=model)
        raise NotFound(f"The model '{model[:256]}' does not exist", param="model", code="model_not_found")
