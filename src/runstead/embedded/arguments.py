"""The arguments of an interface's method, as a client's call holds them."""

from collections.abc import Mapping
from typing import Any

from runstead.wire.endpoint import Endpoint
from runstead.wire.explain import check
from runstead.wire.struct import UNSET, Request

__all__ = ["arguments_of"]


def arguments_of(
    endpoint: Endpoint[Any], path: Mapping[str, str], query: Request | None, body: Request | None
) -> dict[str, Any]:
    """Path parameters, the query's fields, and the body as the endpoint wants it; all checked as a server would."""
    arguments: dict[str, Any] = dict(path)
    if query is not None:
        arguments |= _fields(check(query))
    if endpoint.body is not None:
        request = check(body) if body is not None else endpoint.body()
        arguments |= _fields(request) if endpoint.spread else {"request": request}
    return arguments


def _fields(request: Request) -> dict[str, Any]:
    values = {name: getattr(request, name) for name in request.__struct_fields__ if name != "stream"}
    return {name: value for name, value in values.items() if value is not UNSET}
