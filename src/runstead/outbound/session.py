"""Posts by aiohttp, over connections to checked addresses only. No other module here imports aiohttp."""

import os
import socket
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from runstead.informational_responses import Connector
from runstead.outbound.address_guard import PRIVATE_ADDRESS, is_public
from runstead.outbound.dns import GetAddrInfo, ThreadedResolver
from runstead.outbound.port import DeliveryError

__all__ = ["Session"]

_CONNECT_TIMEOUT = 5.0
"""Seconds to connect, including the DNS lookup."""
_KEEP_ALIVE = 30.0
"""Seconds that an idle connection is kept for the next post."""


class Session:
    """A pool of connections. Each socket's address is checked when it is opened."""

    def __init__(self, *, allow_private: bool, timeout: float, lookup: GetAddrInfo) -> None:
        self._timeout = timeout
        self._resolver = ThreadedResolver(lookup)
        # A name may resolve differently each time (DNS rebinding), so the address of each socket is checked.
        connector = Connector(
            limit=0,
            resolver=_Resolver(self._resolver),
            socket_factory=_any_socket if allow_private else _public_socket,
            keepalive_timeout=_KEEP_ALIVE,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "runstead", "Content-Type": "application/json", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=timeout, connect=min(_CONNECT_TIMEOUT, timeout)),
            trust_env=False,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DeliveryError(self._reason(error)) from error

    async def close(self) -> None:
        await self._session.close()
        self._resolver.close()

    def _reason(self, error: Exception) -> str:
        """Why no reply arrived. The URL may contain secrets, so no text that quotes it is used."""
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return "Its name is not found."
        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
            return "No secure connection: its certificate is not accepted, or it has none."
        if isinstance(error, aiohttp.ClientConnectorError):
            return _connect_error(error.os_error)
        if isinstance(error, TimeoutError):
            return f"There was no answer within {self._timeout:g} s."
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return "It closed the connection without an answer."
        return f"There was no answer that can be read ({type(error).__name__})."


def _connect_error(error: OSError) -> str:
    if isinstance(error, _PrivateAddressError):
        return PRIVATE_ADDRESS
    if isinstance(error, ssl.SSLError) or not error.errno or error.errno < 0:
        return "It cannot be reached."
    return f"It cannot be reached: {os.strerror(error.errno)}."


class _PrivateAddressError(OSError):
    """The address is not on the public internet."""


def _any_socket(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


def _public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for this address. `_PrivateAddressError` if it is private."""
    if not is_public(ip_address(info[4][0])):
        raise _PrivateAddressError(PRIVATE_ADDRESS)
    return _any_socket(info)


class _Resolver(AbstractResolver):
    """A `ThreadedResolver` with aiohttp's interface."""

    def __init__(self, resolver: ThreadedResolver) -> None:
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        return [
            ResolveResult(
                hostname=host, host=address[0], port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Do nothing: the session closes the resolver itself."""
