"""The arguments of an interface's method, as a client's call holds them."""

from collections.abc import Mapping
from typing import Any

from runstead.wire.codec.request import validate
from runstead.wire.endpoint import Endpoint
from runstead.wire.struct import Request

__all__ = ["arguments_of"]


def arguments_of(
    endpoint: Endpoint[Any], path: Mapping[str, str], query: Request | None, body: Request | None
) -> dict[str, Any]:
    """What a server would make of the call, which checks it first."""
    if endpoint.body is not None:
        body = validate(body) if body is not None else endpoint.body()
    return endpoint.arguments(path, validate(query) if query is not None else None, body)
