"""Opens connections: with TCP keep-alive, and through a proxy where the environment names one."""

import os
import socket
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import httpcore2

from runstead.client.http.read_limits import ReadLimits
from runstead.client.http.target import Target

__all__ = ["AsyncConnected", "Connected", "async_connections", "sync_connections"]

IDLE_SECONDS = 4.0
"""Seconds that an idle connection is kept: less than the five or more after which servers close it."""

# TCP keep-alive detects a vanished peer within a minute, also while a stream is silent.
_KEEP_ALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), seconds)
        for name, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, name)
    ),
]


class AsyncConnected(NamedTuple):
    """A connection for an event loop, and the limits of what it reads."""

    connection: httpcore2.AsyncConnectionInterface
    limits: ReadLimits


class Connected(NamedTuple):
    """A blocking connection, and the limits of what it reads."""

    connection: httpcore2.ConnectionInterface
    limits: ReadLimits


def async_connections(target: Target) -> Callable[[], AsyncConnected]:
    """A function that makes a connection for the running event loop. The connection opens with its first request."""
    from runstead.client.http.network_async import AsyncNetwork  # noqa: PLC0415 (a sync client needs no event loop)

    options, origin = _options(target), _origin(target)

    def connect() -> AsyncConnected:
        limits = ReadLimits()
        factory = httpcore2.AsyncConnectionPool(**options, network_backend=AsyncNetwork(limits))
        return AsyncConnected(factory.create_connection(origin), limits)

    return connect


def sync_connections(target: Target) -> Callable[[], Connected]:
    """A function that makes a connection. The connection opens with its first request."""
    from runstead.client.http.network_sync import Network  # noqa: PLC0415 (as above)

    options, origin = _options(target), _origin(target)

    def connect() -> Connected:
        limits = ReadLimits()
        factory = httpcore2.ConnectionPool(**options, network_backend=Network(limits))
        return Connected(factory.create_connection(origin), limits)

    return connect


def _origin(target: Target) -> httpcore2.Origin:
    return httpcore2.Origin(target.scheme.encode(), target.host.encode(), target.port)


def _options(target: Target) -> dict[str, Any]:
    return {
        "proxy": _proxy(target),
        "ssl_context": httpcore2.default_ssl_context() if target.scheme == "https" else None,
        "keepalive_expiry": IDLE_SECONDS,
        "socket_options": _KEEP_ALIVE,
    }


def _proxy(target: Target) -> httpcore2.Proxy | None:
    """The proxy that the environment names for this server. Servers on this machine use none."""
    named = any(name.lower().endswith("_proxy") for name in os.environ)
    if not named or target.host in {"localhost", "::1"} or target.host.startswith("127."):
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415 (slow to import, rarely needed)

    proxies = getproxies()
    url = proxies.get(target.scheme) or proxies.get("all")
    if not url or proxy_bypass(target.host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return httpcore2.Proxy(f"{parts.scheme}://{parts.hostname}:{parts.port or 80}", auth=auth)
