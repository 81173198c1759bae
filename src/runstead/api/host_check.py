"""Protection against foreign web pages: checks of `Host`, `Origin` and `Sec-Fetch-Site`.

A server on a developer's machine needs no key, and a browser on the same machine shows pages of any origin. Such a page
can reach the server in two ways: directly, with its `Origin`, or by DNS rebinding, with a `Host` of its own that
resolves to this machine. Both are refused, and so are pages of other servers on this machine. Programs send no origin,
and call the server by its name.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from runstead.wire.error import Forbidden

__all__ = ["HostCheck"]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_FOREIGN_SITES = (b"cross-site", b"same-site")


class _HostPort(NamedTuple):
    """A host and its port; None for the default port of an unknown scheme."""

    name: str
    port: int | None


class HostCheck:
    """The names by which this server may be called, and the origins whose pages may call it."""

    def __init__(self, allowed: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._allowed = frozenset(name.lower() for name in allowed)
        self._origins = frozenset(origin.encode() for origin in origins)
        self._knows = lru_cache(maxsize=256)(self._is_known)
        self._owns = lru_cache(maxsize=256)(self._is_own)

    def check(self, headers: Mapping[bytes, bytes], method: str = "GET") -> None:
        """`Forbidden` for a request that a foreign page may have made.

        A link on a foreign page may be followed: the reply is shown to the user, and the page cannot read it.
        """
        host = headers.get(b"host")
        if host is not None and not self._knows(host):
            raise Forbidden(
                f"This server does not answer to the name '{_shown(host)}'. "
                "Call it by the address it listens on, or allow the name in its settings.",
                code="host_not_allowed",
            )
        origin = headers.get(b"origin")
        if origin is not None:
            if origin not in self._origins and not self._owns(origin, host):
                raise _origin_error(_shown(origin))
        elif headers.get(b"sec-fetch-site") in _FOREIGN_SITES and not _follows_link(headers, method):
            raise _origin_error("another site")

    def _is_known(self, host: bytes) -> bool:
        named = _host_port(host, None)
        return named is not None and (named.name in self._allowed or _is_loopback(named.name))

    def _is_own(self, origin: bytes, host: bytes | None) -> bool:
        """Whether a page of this origin is one of this server."""
        scheme, _, rest = origin.partition(b"://")
        default = _DEFAULT_PORTS.get(scheme.decode("latin-1"))
        page = None if default is None else _host_port(rest, default)
        if page is None:
            return False
        if page.name in self._allowed and page.port == default:
            return True  # a proxy may have called the server by another name
        server = None if host is None else _host_port(host, default)
        if server is None or server.port != page.port:
            return False
        return server.name == page.name or (_is_loopback(server.name) and _is_loopback(page.name))


def _host_port(host: bytes, default: int | None) -> _HostPort | None:
    """The host and port that a header names, `default` if it names no port; None if it is neither."""
    if not _HOST.fullmatch(host):
        return None
    try:
        url = urlsplit("//" + host.decode("ascii"))
        name, port = url.hostname, url.port
    except ValueError:
        return None
    return None if name is None else _HostPort(name, default if port is None else port)


def _follows_link(headers: Mapping[bytes, bytes], method: str) -> bool:
    return (
        method in {"GET", "HEAD"}
        and headers.get(b"sec-fetch-mode") == b"navigate"
        and headers.get(b"sec-fetch-dest") == b"document"
    )


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _origin_error(page: str) -> Forbidden:
    return Forbidden(f"This server takes no requests from pages of '{page}'.", code="origin_not_allowed")


def _shown(value: bytes) -> str:
    return value[:100].decode("ascii", "replace")
