"""The models that runs may use."""

from typing import Literal

from runstead.wire.struct import Object, Timestamp

__all__ = ["Model", "ModelList"]


class Model(Object, frozen=True, kw_only=True):
    """A model. `id` is the name that requests give as `model`."""

    id: str
    object: Literal["model"] = "model"
    created: Timestamp = 0
    owned_by: str = "runstead"


class ModelList(Object, frozen=True, kw_only=True):
    """All models. This list is never paginated."""

    object: Literal["list"] = "list"
    data: list[Model]
