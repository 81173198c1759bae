"""Which addresses are of the public internet, and which may be of somebody's own network."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from runstead.outbound.port import Unsent

__all__ = ["PRIVATE", "Address", "check_url", "is_public", "literal"]

Address: TypeAlias = IPv4Address | IPv6Address

PRIVATE = "It leads to a private address, and this server does not send there (setting `allow_private_webhooks`)."

_PUBLIC_V6 = IPv6Network("2000::/3")
"""All that is given to anybody. Whatever else there is belongs to a network of its own."""
_SPECIAL = (IPv6Network("2001::/23"), IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"))
_RELAYS = IPv4Network("192.88.99.0/24")
_WRAPPED = IPv6Network("64:ff9b::/96")
"""Addresses of version 4, for networks that have none (NAT64)."""


def is_public(address: Address) -> bool:
    """Everyone can reach it: it is nobody's own, and no group. An address inside another one counts."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is None:
            return address in _PUBLIC_V6 and address.is_global and not any(address in special for special in _SPECIAL)
        address = inner
    return address.is_global and not address.is_multicast and address not in _RELAYS


def literal(host: str) -> Address | None:
    """The address that a host is, however it is spelled (`0x7f.1` and `2130706433` are 127.0.0.1); None for a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return ip_address(str(found[0][4][0]))


def check_url(url: str, *, allow_private: bool) -> None:
    """`Unsent` if nothing may be posted there, as far as one sees before any name is looked up."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise Unsent(f"It is no URL: {error}.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise Unsent("It must begin with 'https://' or 'http://' and a host.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise Unsent("It must hold no spaces, backslashes or control characters.")
    if "@" in parts.netloc:
        raise Unsent("It must hold no user and no password.")
    if allow_private:
        return
    address = literal(host)
    named = host.rstrip(".").rpartition(".")[2]
    if named == "localhost" if address is None else not is_public(address):
        raise Unsent(PRIVATE)


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The address of version 4 that is reached by one of version 6, if there is one."""
    if address in _WRAPPED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
