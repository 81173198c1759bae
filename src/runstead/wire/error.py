"""Errors, the same in process and over HTTP.

RunsteadError
├── ApiError                 what a server answers: message, type, param, code, and an HTTP status
│   ├── BadRequest           400  the request is wrong, or not now
│   ├── Unauthorized         401  no key, or a wrong one
│   ├── Forbidden            403
│   ├── NotFound             404  no such object, for this project
│   ├── Conflict             409  another writer was first
│   ├── TooLarge             413  the body is over the limit
│   ├── RateLimited          429  come back later (`retry_after` seconds)
│   └── ServerError          5xx  the server's fault
├── Unreachable              no answer: refused, cut, or timed out
├── WaitTimeout              a bounded wait ran out; the run goes on
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
    "Unreachable",
    "WaitTimeout",
    "api_error",
]


class ErrorDetails(Struct, frozen=True, kw_only=True):
    """The inside of an error answer; all four keys are always sent."""

    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None


class ErrorBody(Struct, frozen=True, kw_only=True):
    """An error answer: `{"error": {…}}`."""

    error: ErrorDetails


class RunsteadError(Exception):
    """Anything that goes wrong here on purpose."""


class ApiError(RunsteadError):
    """What a server answers when it does not do what was asked."""

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
        """The answer to send."""
        return ErrorBody(error=ErrorDetails(message=self.message, type=self.type, param=self.param, code=self.code))


class BadRequest(ApiError):
    """The request is wrong, or cannot be done now. Nothing was changed."""

    status = 400


class Unauthorized(ApiError):
    """No key, or a wrong one."""

    status = 401


class Forbidden(ApiError):
    """The key may not do this."""

    status = 403


class NotFound(ApiError):
    """There is no such object, as far as this project can see."""

    status = 404


class Conflict(ApiError):
    """Another writer was first."""

    status = 409


class TooLarge(ApiError):
    """The body is larger than the server takes."""

    status = 413


class RateLimited(ApiError):
    """Too much at once; `retry_after` says in how many seconds to come back."""

    status = 429
    type: ClassVar[str] = "rate_limit_exceeded"
    retry_after: float = 1.0


class ServerError(ApiError):
    """The server failed; its log has the cause under the request id."""

    status = 500
    type: ClassVar[str] = "server_error"


class Unreachable(RunsteadError):
    """No answer came: the connection was refused, cut, or timed out."""


class WaitTimeout(RunsteadError, TimeoutError):
    """A bounded wait ran out. The run goes on."""


class Closed(RunsteadError):
    """The client or engine was closed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    kind.status: kind
    for kind in (BadRequest, Unauthorized, Forbidden, NotFound, Conflict, TooLarge, RateLimited, ServerError)
}


def api_error(status: int, details: ErrorDetails, request_id: str | None = None) -> ApiError:
    """The error that an answer stands for; an unknown status becomes the nearest of its family."""
    family = ServerError if status >= 500 else BadRequest
    kind = _BY_STATUS.get(status, family)
    return kind(details.message, param=details.param, code=details.code, status=status, request_id=request_id)
