"""Connection errors of the HTTP library as `Unreachable`, with a hint on what to do."""

import httpcore2

from runstead.client.http.target import Target
from runstead.wire.error import Unreachable

__all__ = ["CONNECTION_ERRORS", "never_sent", "unreachable"]

CONNECTION_ERRORS = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
)
"""Every error of the HTTP library that concerns a connection."""

_LONGEST_CAUSE = 300
"""Characters of the HTTP library's error that are shown."""

_NEVER_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.ProxyError,
)


def never_sent(error: Exception) -> bool:
    """The error shows that the server cannot have received the request."""
    return isinstance(error, _NEVER_SENT)


def unreachable(error: Exception, target: Target) -> Unreachable:
    """The error to raise: the cause, whether the request may have been carried out, and what to check."""
    cause = target.sanitize(str(error), _LONGEST_CAUSE)
    why = f" ({cause})" if cause else ""
    if never_sent(error):
        hint = "Is the server running? Start one with `runstead serve`, or check the URL."
        failure = Unreachable(f"No connection to {target.url}{why}. {hint}")
    elif isinstance(error, httpcore2.TimeoutException):
        failure = Unreachable(f"{target.url} did not respond in time. The request may have been carried out.")
    else:
        failure = Unreachable(
            f"The connection to {target.url} broke before the response was complete{why}. "
            "The request may have been carried out."
        )
    # The text of a protocol error has bytes of the server, which a traceback would show as they are.
    failure.__cause__ = None if isinstance(error, httpcore2.ProtocolError) else error
    failure.__suppress_context__ = True
    return failure
