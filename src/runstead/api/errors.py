"""Errors on the wire: status, headers and body, the same for every path."""

import logging
import math
from collections.abc import Iterable
from typing import TypeAlias

import msgspec
from starlette.types import Send

from runstead.api.address import address_of
from runstead.wire.codec.request_errors import elide
from runstead.wire.error import (
    ApiError,
    BadRequest,
    Closed,
    NotFound,
    RateLimited,
    ServerError,
    TooLarge,
    Unconfirmed,
    Unreachable,
)

__all__ = [
    "BodiesFull",
    "Headers",
    "MethodNotAllowed",
    "StoreUnavailable",
    "as_api_error",
    "invalid_url",
    "send_error",
    "send_json",
]

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

_log = logging.getLogger("runstead.api")
_NO_RETRY: Headers = ((b"x-should-retry", b"false"),)
_JSON = (b"content-type", b"application/json")
_REST_UNREAD: Headers = ((b"connection", b"close"),)
"""The connection closes after the reply, because the rest of the request's body is not read."""


class MethodNotAllowed(BadRequest):
    """The path exists, but does not take this method."""

    status = 405

    def __init__(self, method: str, path: str, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__(
            f"Not allowed to {method} on {elide(path)}. It takes {self.allowed}.", code="method_not_supported"
        )


class BodiesFull(ServerError):
    """The bodies that are being received leave no memory for another one."""

    status = 503

    def __init__(self) -> None:
        super().__init__("The server is receiving too many large requests. Please try again in a moment.")


class StoreUnavailable(ServerError):
    """The store is away, full or overloaded. Unless it is `unconfirmed`, nothing was written."""

    status = 503

    def __init__(self, *, unconfirmed: bool) -> None:
        self.unconfirmed = unconfirmed
        super().__init__("The server cannot use its database at the moment. Please try again in a moment.")


def invalid_url(method: str, path: str) -> NotFound:
    """The error for an unknown path."""
    hint = "" if address_of(path) else ". The paths of the API begin with /v1"
    return NotFound(f"Invalid URL ({method} {elide(path)}){hint}")


def as_api_error(error: Exception, request_id: str) -> ApiError:
    """The error as a client may see it. The details of unexpected errors are logged under the request's id."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, Closed):
        return ServerError("The server is about to stop. Please try again in a moment.", status=503)
    if isinstance(error, Unreachable):
        # There may be thousands of these, and an outage of the store has a log line of its own.
        _log.debug("the store is away in request %s", request_id, exc_info=error)
        return StoreUnavailable(unconfirmed=isinstance(error, Unconfirmed))
    _log.error("unexpected error in request %s", request_id, exc_info=error)
    return ServerError(
        f"The server had an error processing your request. Its log has the cause under the request id {request_id}."
    )


async def send_error(send: Send, error: ApiError, *, safe_to_retry: bool) -> None:
    """Send an error reply; `safe_to_retry` says whether the request may be sent again after an internal error."""
    await send_json(send, msgspec.json.encode(error.body), error.status, _headers(error, safe_to_retry))


async def send_json(send: Send, body: bytes, status: int = 200, headers: Headers = ()) -> None:
    """Send a JSON reply."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [_JSON, (b"content-length", b"%d" % len(body)), *headers],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _headers(error: ApiError, safe_to_retry: bool) -> Headers:
    """The headers that say whether and when to retry."""
    if isinstance(error, RateLimited):
        return _retry_after(error.retry_after)
    if isinstance(error, BodiesFull):
        return (*_retry_after(1.0), *_REST_UNREAD)
    if not safe_to_retry and (error.status == 500 or (isinstance(error, StoreUnavailable) and error.unconfirmed)):
        # The request may have been carried out before it failed.
        return _NO_RETRY
    if error.status == 503:
        return _retry_after(1.0)
    if isinstance(error, MethodNotAllowed):
        return ((b"allow", error.allowed.encode()),)
    if isinstance(error, TooLarge):
        return _REST_UNREAD
    return ()


def _retry_after(seconds: float) -> Headers:
    return (
        (b"retry-after", b"%d" % max(1, math.ceil(seconds))),
        (b"retry-after-ms", b"%d" % max(1, math.ceil(seconds * 1000))),
    )
