"""The connections of a client: kept open between calls, and through a proxy where the environment names one."""

import os
import socket
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore2

from runstead.client.target import Target

__all__ = ["async_pool", "sync_pool"]

LONGEST_IDLE = 4.0
"""Seconds. Servers close idle connections after five or more; a request must not meet that moment."""

# A peer that vanished without a word is noticed within a minute, also in the middle of a silent stream.
_KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), seconds)
        for name, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, name)
    ),
]


def async_pool(target: Target) -> httpcore2.AsyncConnectionPool:
    """Connections on the running event loop."""
    from runstead.client.network_async import AsyncNetwork  # noqa: PLC0415 (a sync client needs no event loop)

    return httpcore2.AsyncConnectionPool(**_options(target), network_backend=AsyncNetwork())


def sync_pool(target: Target) -> httpcore2.ConnectionPool:
    """Connections that any thread may use."""
    from runstead.client.network_sync import Network  # noqa: PLC0415 (beside its sibling)

    return httpcore2.ConnectionPool(**_options(target), network_backend=Network())


def _options(target: Target) -> dict[str, Any]:
    return {
        "proxy": _proxy(target),
        "max_connections": None,
        "max_keepalive_connections": 100,
        "keepalive_expiry": LONGEST_IDLE,
        "socket_options": _KEEP_ALIVE,
    }


def _proxy(target: Target) -> httpcore2.Proxy | None:
    """The proxy that the environment names for this server. None is asked for this machine's own servers."""
    named = any(name.lower().endswith("_proxy") for name in os.environ)
    if not named or target.host in {"localhost", "::1"} or target.host.startswith("127."):
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 (heavy, and seldom needed)

    proxies = getproxies()
    url = proxies.get(target.scheme) or proxies.get("all")
    if not url or proxy_bypass(target.host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return httpcore2.Proxy(f"{parts.scheme}://{parts.hostname}:{parts.port or 80}", auth=auth)
