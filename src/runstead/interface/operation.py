"""Bind an endpoint to the method that implements it.

The functions below make an `Operation` of the three things that must fit: the interface's method, the endpoint, and the
call of the one with what the other has read. A type checker sees when they do not.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Concatenate, TypeAlias, TypeVar

from msgspec import Struct

from runstead.interface.page import PageOf
from runstead.interface.streams import StreamCall
from runstead.interface.transfer import Upload
from runstead.wire.endpoints.endpoint import AnyEndpoint, Endpoint
from runstead.wire.event import Event
from runstead.wire.page import Page
from runstead.wire.struct import Request

__all__ = ["Operation", "Operations", "event_operation", "operation", "page_operation", "table_of", "upload_operation"]

S = TypeVar("S")
Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")
T = TypeVar("T")

PathValues: TypeAlias = Mapping[str, str]
"""The values of a path's parameters, by name."""


class Operation(Struct, frozen=True, kw_only=True):
    """An endpoint, the interface's method, and how to call it. The types were checked when it was made."""

    endpoint: AnyEndpoint
    method: Callable[..., object]
    """The method as the interface declares it: where documentation comes from."""
    call: Callable[[Any, PathValues, Any, Any], Awaitable[Any]] | None = None
    """Call the method of an implementation with path, query and body; None where the only answer is events."""
    stream: Callable[[PathValues, Any, Any], StreamCall] | None = None
    """The call that is answered with events, if there is one."""


Operations: TypeAlias = Mapping[str, Operation]
"""Operations by the names of their endpoints."""


def operation(
    method: Callable[Concatenate[S, ...], Awaitable[R]],
    endpoint: Endpoint[Q, B, R],
    call: Callable[[S, PathValues, Q, B], Awaitable[R]],
    *,
    stream: Callable[[PathValues, Q, B], StreamCall] | None = None,
) -> Operation:
    """An operation that is answered with the endpoint's reply."""
    return Operation(endpoint=endpoint, method=method, call=call, stream=stream)


def page_operation(
    method: Callable[Concatenate[S, ...], Awaitable[PageOf[T]]],
    endpoint: Endpoint[Q, B, Page[T]],
    call: Callable[[S, PathValues, Q, B], Awaitable[PageOf[T]]],
) -> Operation:
    """An operation that is answered with a page of a list."""
    return Operation(endpoint=endpoint, method=method, call=call)


def event_operation(
    method: Callable[..., object], endpoint: Endpoint[Q, B, Event], stream: Callable[[PathValues, Q, B], StreamCall]
) -> Operation:
    """An operation that is always answered with events."""
    return Operation(endpoint=endpoint, method=method, stream=stream)


def upload_operation(
    method: Callable[Concatenate[S, ...], Awaitable[R]],
    endpoint: Endpoint[Q, B, R],
    call: Callable[[S, PathValues, Q, Upload[B]], Awaitable[R]],
) -> Operation:
    """An operation that takes a form with files."""
    return Operation(endpoint=endpoint, method=method, call=call)


def table_of(*operations: Operation) -> dict[str, Operation]:
    """The operations by the names of their endpoints."""
    return {each.endpoint.name: each for each in operations}
