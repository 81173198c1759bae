"""Cross-origin requests of web pages: which pages may read the replies.

A browser sends a page's request to another origin, and lets the page read the reply only if a header of the reply names
the page's origin. Requests with a key, a beta header or a JSON body are announced by a preflight first. Cookies have no
meaning here, so credentials of the browser are never allowed.
"""

from collections.abc import Sequence

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

__all__ = ["with_cors"]

_EXPOSED = (
    "content-disposition",
    "content-range",
    "idempotency-keys",
    "idempotent-replayed",
    "openai-poll-after-ms",
    "openai-processing-ms",
    "openai-version",
    "retry-after",
    "retry-after-ms",
    "x-request-id",
    "x-should-retry",
)
"""The headers of replies that clients read."""
_PREFLIGHT_LASTS = 7200
"""Seconds for which a browser reuses the reply to a preflight: the maximum of browsers."""


def with_cors(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application, with replies that pages of exactly these origins may read. Unchanged without origins."""
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=frozenset(origins),
        allow_methods=("GET", "POST", "DELETE"),
        allow_headers=("*",),
        # A page of an allowed origin may be public, and this server is on a private or loopback address.
        allow_private_network=True,
        expose_headers=_EXPOSED,
        max_age=_PREFLIGHT_LASTS,
    )
