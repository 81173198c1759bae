# Generated from src/runstead/client/_async/models.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for models."""

from runstead.client._sync.calls import Calls
from runstead.wire.endpoints import models as endpoint
from runstead.wire.model import Model, ModelList

__all__ = ["Models"]


class Models(Calls):
    """`runstead.interface.Models`."""

    def models(self) -> ModelList:
        return self._transport.call(endpoint.MODELS, {})

    def get_model(self, model: str) -> Model:
        return self._transport.call(endpoint.GET_MODEL, {"model": model})
