"""The guard against private addresses (SSRF): which URLs and IP addresses a webhook may be sent to."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias
from urllib.parse import urlsplit

from runstead.outbound.port import DeliveryError

__all__ = ["PRIVATE_ADDRESS", "IpAddress", "check_url", "is_public", "parse_ip"]

IpAddress: TypeAlias = IPv4Address | IPv6Address

PRIVATE_ADDRESS = (
    "It leads to a private address, and this server does not send there (setting `allow_private_webhooks`)."
)

_PUBLIC_V6 = IPv6Network("2000::/3")
"""All global unicast addresses. Every other IPv6 address is local, multicast or reserved."""
_RESERVED_V6 = (IPv6Network("2001::/23"), IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"))
"""Reserved ranges inside the global ones: IETF protocols and documentation."""
_RELAY_ANYCAST_V4 = IPv4Network("192.88.99.0/24")
"""The relays from IPv6 to IPv4 (6to4)."""
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as networks with IPv6 only write them."""


def is_public(address: IpAddress) -> bool:
    """Whether an address is unicast and on the public internet. Of an IPv4 address inside an IPv6 one, that counts."""
    if isinstance(address, IPv6Address):
        inner = _embedded_ipv4(address)
        if inner is None:
            return address in _PUBLIC_V6 and address.is_global and not any(address in part for part in _RESERVED_V6)
        address = inner
    return address.is_global and not address.is_multicast and address not in _RELAY_ANYCAST_V4


def parse_ip(host: str) -> IpAddress | None:
    """The IP address that a host is, in any spelling (`0x7f.1` and `2130706433` are 127.0.0.1); None for a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return ip_address(str(found[0][4][0]))


def check_url(url: str, *, allow_private: bool) -> None:
    """Raise `DeliveryError` if the URL is invalid or its host is private. No name is resolved here."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise DeliveryError(f"It is no URL: {error}.") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise DeliveryError("It must begin with 'https://' or 'http://' and a host.")
    if not url.isprintable() or " " in url or "\\" in url:
        raise DeliveryError("It must hold no spaces, backslashes or control characters.")
    if "@" in parts.netloc:
        raise DeliveryError("It must hold no user and no password.")
    if allow_private:
        return
    address = parse_ip(host)
    named = host.rstrip(".").rpartition(".")[2]
    if named == "localhost" if address is None else not is_public(address):
        raise DeliveryError(PRIVATE_ADDRESS)


def _embedded_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address contains, if any."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour
