"""The interface of models."""

from typing import Protocol

from runstead.wire.model import Model, ModelList

__all__ = ["Models"]


class Models(Protocol):
    """The models that runs may use."""

    async def models(self) -> ModelList:
        """Every model that is known by name, aliases too."""
        ...

    async def get_model(self, model: str) -> Model:
        """The model of this name. `NotFound` if no upstream takes it."""
        ...
