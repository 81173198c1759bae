"""uvicorn's configuration, for servers and for the probes of workers."""

import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import uvicorn

from runstead.cli.http_protocol import IDLE, LimitedHttpProtocol

__all__ = ["uvicorn_config"]

_App: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""An ASGI application."""


def uvicorn_config(
    app: _App, grace: int, tls: ssl.SSLContext | None = None, allowed_origins: Sequence[str] = ()
) -> uvicorn.Config:
    """The configuration to serve `app`. Open connections get `grace` seconds to end during a shutdown."""

    class Protocol(LimitedHttpProtocol):
        """The protocol of this server's connections."""

    Protocol.allowed_origins = frozenset(origin.encode() for origin in allowed_origins)
    return uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ssl_context_factory=None if tls is None else lambda _config, _default: tls,
        timeout_keep_alive=int(IDLE),
        timeout_graceful_shutdown=grace,
    )
