"""Protection against foreign web pages: checks of `Host` and `Origin`.

A server on a developer's machine needs no key, and a browser on the same machine shows pages of any origin. Such a page
can reach the server in two ways: directly, with its `Origin`, or by DNS rebinding, with a `Host` of its own that
resolves to this machine. Both are refused. Programs send no origin, and call the server by its name.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from runstead.wire.error import Forbidden

__all__ = ["HostCheck"]


class HostCheck:
    """The names by which this server may be called, and the origins whose pages may call it."""

    def __init__(self, allowed: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self._allowed = frozenset(name.lower() for name in allowed)
        self._origins = frozenset(origin.encode() for origin in origins)
        self._knows = lru_cache(maxsize=256)(self._is_known)

    def check(self, headers: Mapping[bytes, bytes]) -> None:
        """`Forbidden` for a request that a foreign page may have made."""
        host = headers.get(b"host")
        if host is not None and not self._knows(b"//" + host):
            raise Forbidden(
                f"This server does not answer to the name '{_shown(host)}'. "
                "Call it by the address it listens on, or allow the name in its settings.",
                code="host_not_allowed",
            )
        origin = headers.get(b"origin")
        if origin is not None and origin not in self._origins and not self._knows(origin):
            raise Forbidden(
                f"This server takes no requests from pages of '{_shown(origin)}'.", code="origin_not_allowed"
            )

    def _is_known(self, url: bytes) -> bool:
        try:
            name = urlsplit(url.decode("ascii")).hostname
        except ValueError:
            return False
        return name is not None and (name in self._allowed or _is_loopback(name))


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _shown(value: bytes) -> str:
    return value[:100].decode("ascii", "replace")
