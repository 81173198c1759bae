"""A model that runs may use."""

from typing import Literal

from runstead.wire.struct import Object, Timestamp

__all__ = ["Model"]


class Model(Object, frozen=True, kw_only=True):
    """A model, by the name to ask for it."""

    id: str
    object: Literal["model"] = "model"
    created: Timestamp = 0
    owned_by: str = "runstead"
