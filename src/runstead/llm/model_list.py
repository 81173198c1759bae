"""The answer to `GET /models`, read generously."""

import msgspec
from msgspec import Struct

from runstead.wire.model import Model

__all__ = ["decode_models"]

_MOST = 10_000


class _Listed(Struct):
    id: str
    created: int | float | None = None
    owned_by: str | None = None


class _List(Struct):
    data: list[_Listed] | None = None


_decode = msgspec.json.Decoder(_List).decode


def decode_models(body: bytes) -> list[Model]:
    """The models of an answer. Raises one of `UNREADABLE` if it is no list of models."""
    listed = _decode(body).data or []
    return [
        Model(id=each.id, created=int(each.created or 0), owned_by=each.owned_by or "upstream")
        for each in listed[:_MOST]
    ]
