"""The server's listening socket: on a loopback address only, because there are no API keys yet."""

import ipaddress
import socket

from runstead.wire.error import RunsteadError

__all__ = ["bind", "listen"]

_BACKLOG = 2048
"""Connections that the kernel queues before they are accepted: enough for a burst of new streams."""


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address. It refuses connections until `listen`.

    `RunsteadError` if the address is not a loopback address or cannot be bound.
    """
    if not _is_loopback(host):
        raise RunsteadError(
            f"Refusing to listen on {host}: there are no API keys yet, so every client that reaches the server could "
            "read everything. Use a loopback address such as 127.0.0.1, and put your own proxy in front of it."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named as TCP, every event loop sets TCP_NODELAY, so small replies leave at once.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise RunsteadError(f"Cannot listen on {_address(host, port)}: {error.strerror}.") from error
    return bound


def listen(bound: socket.socket, scheme: str = "http") -> str:
    """Accept connections from now on; returns the server's URL."""
    host, port = bound.getsockname()[:2]
    try:
        bound.listen(_BACKLOG)
    except OSError as error:  # two sockets may be bound to the address, but only one may listen
        raise RunsteadError(f"Cannot listen on {_address(host, port)}: {error.strerror}.") from error
    return f"{scheme}://{_address(host, port)}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
