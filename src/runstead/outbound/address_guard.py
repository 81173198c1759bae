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
_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as networks with IPv6 only write them."""
_SPECIAL_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by the customers of a provider; metadata of a cloud at 100.100.100.200
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # the platform of a cloud, as its machines see it
            "169.254.0.0/16",  # link-local; metadata of clouds at 169.254.169.254
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # IETF protocols; metadata of a cloud at 192.0.0.192
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112: answers for private names
            "192.52.193.0/24",  # relays of multicast
            "192.88.99.0/24",  # relays from IPv6 to IPv4 (6to4)
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_SPECIAL_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocols: Teredo, benchmarks, ORCHID
            "2001:db8::/32",  # documentation
            "2620:4f:8000::/48",  # AS112
            "3ffe::/16",  # a former test network
            "3fff::/20",  # documentation
        ),
    )
)
"""The ranges of the registries of special-purpose addresses (RFC 6890) that are inside the public ones, and those that
clouds use inside. Python's own list depends on its version.
"""


def is_public(address: IpAddress) -> bool:
    """Whether an address is unicast and on the public internet. Of an IPv4 address inside an IPv6 one, that counts."""
    if isinstance(address, IPv6Address):
        inner = _embedded_ipv4(address)
        if inner is None:
            return address in _PUBLIC_V6 and not any(address in special for special in _SPECIAL_V6)
        address = inner
    return not any(address in special for special in _SPECIAL_V4)


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
