"""Models, over the model port."""

from runstead.engine.resources.scope import Bound
from runstead.wire.error import NotFound
from runstead.wire.model import Model, ModelList

__all__ = ["Models"]


class Models(Bound):
    """Implements `interface.Models`."""

    async def models(self) -> ModelList:
        return ModelList(data=list(await self._adapters.model.models()))

    async def get_model(self, model: str) -> Model:
        listed = await self._adapters.model.models()
        for known in listed:
            if known.id == model:
                return known
        # Without any list, that a name is taken is all that is known about it.
        if not listed and self._adapters.model.supports(model):
            return Model(id=model)
        raise NotFound(f"The model '{model[:256]}' does not exist", param="model", code="model_not_found")
