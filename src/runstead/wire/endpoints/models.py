"""The calls about models."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.model import Model, ModelList

__all__ = ["GET_MODEL", "MODELS"]

MODELS: Endpoint[Nothing, Nothing, ModelList] = Endpoint(
    name="models",
    method="GET",
    path="/models",
    reply=ModelList,
    beta=False,
)

GET_MODEL: Endpoint[Nothing, Nothing, Model] = Endpoint(
    name="get_model",
    method="GET",
    path="/models/{model}",
    reply=Model,
    beta=False,
)
