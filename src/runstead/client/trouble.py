"""What can happen to a connection, in words that say what to do."""

import httpcore2

from runstead.client.target import Target
from runstead.wire.error import Unreachable

__all__ = ["TROUBLE", "never_sent", "unreachable"]

TROUBLE = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
)
"""Everything that can happen to a connection."""

_NEVER_SENT = (
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.PoolTimeout,
    httpcore2.ProxyError,
)


def never_sent(error: Exception) -> bool:
    """The server cannot have seen the request."""
    return isinstance(error, _NEVER_SENT)


def unreachable(error: Exception, target: Target) -> Unreachable:
    """The error to raise: what happened, what that means for the request, and what to look at."""
    why = f" ({error})" if str(error) else ""
    if never_sent(error):
        hint = "Is the server running? Start one with `runstead serve`, or check the URL."
        return Unreachable(f"No connection to {target.url}{why}. {hint}")
    if isinstance(error, httpcore2.TimeoutException):
        return Unreachable(f"{target.url} gave no answer in time. The request may have been carried out all the same.")
    return Unreachable(
        f"The connection to {target.url} broke before the whole answer was there{why}. "
        "The request may have been carried out all the same."
    )
