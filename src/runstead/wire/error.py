"""Errors, the same in process and over HTTP.

RunsteadError
├── ApiError                 an error response: message, type, param, code, and an HTTP status
│   ├── BadRequest           400  the request is invalid, or not allowed in the present state
│   ├── Unauthorized         401  no key, or a wrong one
│   ├── Forbidden            403  the key is not allowed to do this
│   ├── NotFound             404  no such object in this project
│   ├── Conflict             409  a concurrent change won
│   ├── TooLarge             413  the body is larger than the limit
│   ├── RateLimited          429  too many requests; retry after `retry_after` seconds
│   └── ServerError          5xx  the server's fault
├── Unreachable              no response: the connection was refused or lost, or timed out; or the store of an engine
│   │                        in this process is away, full or overloaded. A later try may succeed
│   └── Unconfirmed          the store did not say whether a write was committed
├── WaitTimeout              a wait with a timeout ended first; the run continues
└── Closed                   this client or engine was closed
"""

from typing import ClassVar

from msgspec import Struct

__all__ = [
    "ApiError",
    "BadRequest",
    "Closed",
    "Conflict",
    "ErrorBody",
    "ErrorDetails",
    "Forbidden",
    "NotFound",
    "RateLimited",
    "RunsteadError",
    "ServerError",
    "TooLarge",
    "Unauthorized",
    "Unconfirmed",
    "Unreachable",
    "WaitTimeout",
    "api_error",
]


class ErrorDetails(Struct, frozen=True, kw_only=True):
    """The details of an error response. All four keys are always sent."""

    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None


class ErrorBody(Struct, frozen=True, kw_only=True):
    """The body of an error response: `{"error": {…}}`."""

    error: ErrorDetails


class RunsteadError(Exception):
    """The base class of every error that Runstead raises on purpose."""


class ApiError(RunsteadError):
    """An error response of the server, or of an engine in this process."""

    status: int = 500
    type: ClassVar[str] = "invalid_request_error"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.request_id = request_id
        if status is not None:
            self.status = status

    @property
    def body(self) -> ErrorBody:
        """The body of the response."""
        return ErrorBody(error=ErrorDetails(message=self.message, type=self.type, param=self.param, code=self.code))


class BadRequest(ApiError):
    """The request is invalid, or not allowed in the present state. Nothing was changed."""

    status = 400


class Unauthorized(ApiError):
    """No key, or a wrong one."""

    status = 401


class Forbidden(ApiError):
    """The key is not allowed to do this."""

    status = 403


class NotFound(ApiError):
    """The project has no such object."""

    status = 404


class Conflict(ApiError):
    """A concurrent change won. The request may be repeated."""

    status = 409


class TooLarge(ApiError):
    """The body is larger than the server's limit."""

    status = 413


class RateLimited(ApiError):
    """Too many requests. A retry may succeed after `retry_after` seconds."""

    status = 429
    type: ClassVar[str] = "rate_limit_exceeded"
    retry_after: float = 1.0


class ServerError(ApiError):
    """The server failed. Its log has the cause, with the request's id."""

    status = 500
    type: ClassVar[str] = "server_error"


class Unreachable(RunsteadError):
    """There was no response: the connection was refused or lost, or timed out.

    Of an engine in this process: its store is away, full or overloaded. A later try may succeed.
    """


class Unconfirmed(Unreachable):
    """The store did not say whether a write was committed: it may be done or not."""


class WaitTimeout(RunsteadError, TimeoutError):
    """A wait with a timeout ended before the run did. The run continues."""


class Closed(RunsteadError):
    """The client or engine was closed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    kind.status: kind
    for kind in (BadRequest, Unauthorized, Forbidden, NotFound, Conflict, TooLarge, RateLimited, ServerError)
}


def api_error(status: int, details: ErrorDetails, request_id: str | None = None) -> ApiError:
    """The error of a response. An unknown status becomes `BadRequest`, or `ServerError` from 500 on."""
    family = ServerError if status >= 500 else BadRequest
    kind = _BY_STATUS.get(status, family)
    return kind(details.message, param=details.param, code=details.code, status=status, request_id=request_id)
