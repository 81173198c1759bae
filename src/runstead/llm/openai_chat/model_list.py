"""Decodes the answer to `GET /models`."""

from runstead.model_server.coercion import as_number, as_object, as_objects, as_text
from runstead.model_server.json_document import NotJSON, decode
from runstead.wire.model import Model

__all__ = ["decode_models"]

_MAX_MODELS = 10_000


def decode_models(body: bytes) -> list[Model]:
    """The models in the answer, 10,000 at most. Raises `NotJSON` or `TooLarge` if it is no such list."""
    answer = decode(body)
    if not isinstance(answer, dict):
        raise NotJSON("it is no object")
    listed = [each for each in as_objects(as_object(answer).get("data")) if as_text(each.get("id"))]
    return [
        Model(
            id=as_text(each["id"]),
            created=as_number(each.get("created")) or 0,
            owned_by=as_text(each.get("owned_by")) or "upstream",
        )
        for each in listed[:_MAX_MODELS]
    ]
