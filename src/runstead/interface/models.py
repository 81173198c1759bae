"""The interface of models."""

from typing import Protocol

from runstead.wire.model import Model, ModelList

__all__ = ["Models"]


class Models(Protocol):
    """Models: the names that assistants and runs may use."""

    async def models(self) -> ModelList:
        """List every model that is known by name, including aliases."""
        ...

    async def get_model(self, model: str) -> Model:
        """Return the model with this name.

        `NotFound` if no upstream serves it.
        """
        ...
