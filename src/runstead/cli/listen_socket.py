"""Where the server listens: a loopback address, until there are keys."""

import ipaddress
import socket

from runstead.wire.error import RunsteadError

__all__ = ["bind", "listen"]

_BACKLOG = 2048
"""Connections that may wait to be accepted: as many as there come in one burst."""


def bind(host: str, port: int) -> socket.socket:
    """A socket that has the address. It refuses connections until it listens."""
    if not _is_loopback(host):
        raise RunsteadError(
            f"Refusing to listen on {host}: there are no API keys yet, so whoever reaches the server could read "
            "everything. Use a loopback address such as 127.0.0.1, and a proxy of your own in front of it."
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that every event loop sends small answers at once.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setblocking(False)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise RunsteadError(f"Cannot listen on {_address(host, port)}: {error.strerror}.") from error
    return bound


def listen(bound: socket.socket) -> str:
    """Take connections from now on; gives the URL."""
    host, port = bound.getsockname()[:2]
    try:
        bound.listen(_BACKLOG)
    except OSError as error:  # two may have the address, one may listen
        raise RunsteadError(f"Cannot listen on {_address(host, port)}: {error.strerror}.") from error
    return f"http://{_address(host, port)}"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
