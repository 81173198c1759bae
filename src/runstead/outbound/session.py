"""Posts by aiohttp, over connections that are made to checked addresses only. The only file here that knows it."""

import os
import socket
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from runstead.outbound.addresses import PRIVATE, is_public
from runstead.outbound.names import Lookup, Names
from runstead.outbound.port import Unsent

__all__ = ["Session"]

_CONNECT = 5.0
"""Seconds that a connection may take, looking up the name included."""
_IDLE = 30.0
"""Seconds that an open connection is kept for the next post."""


class Session:
    """Open connections, and new ones."""

    def __init__(self, *, allow_private: bool, timeout: float, lookup: Lookup) -> None:
        self._timeout = timeout
        self._names = Names(lookup)
        # Where a name leads may change from one look to the next: what counts is where a socket goes.
        connector = aiohttp.TCPConnector(
            limit=0,
            resolver=_Resolver(self._names),
            socket_factory=_any_socket if allow_private else _public_socket,
            keepalive_timeout=_IDLE,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "runstead", "Content-Type": "application/json", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=timeout, connect=min(_CONNECT, timeout)),
            trust_env=False,
        )

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        try:
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unsent(self._words(error)) from error

    async def close(self) -> None:
        await self._session.close()
        self._names.close()

    def _words(self, error: Exception) -> str:
        """Why there was no answer. The URL may hold secrets, so nothing that quotes it is said."""
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return "Its name is not found."
        if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
            return "No secure connection: its certificate is not accepted, or it has none."
        if isinstance(error, aiohttp.ClientConnectorError):
            return _cause(error.os_error)
        if isinstance(error, TimeoutError):
            return f"There was no answer within {self._timeout:g} s."
        if isinstance(error, aiohttp.ServerDisconnectedError):
            return "It closed the connection without an answer."
        return f"There was no answer that can be read ({type(error).__name__})."


def _cause(error: OSError) -> str:
    if isinstance(error, _Private):
        return PRIVATE
    if isinstance(error, ssl.SSLError) or not error.errno or error.errno < 0:
        return "It cannot be reached."
    return f"It cannot be reached: {os.strerror(error.errno)}."


class _Private(OSError):
    """The address is not one of the public internet."""


def _any_socket(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, _ = info
    return socket.socket(family, kind, protocol)


def _public_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket to this address, or `_Private`."""
    if not is_public(ip_address(info[4][0])):
        raise _Private(PRIVATE)
    return _any_socket(info)


class _Resolver(AbstractResolver):
    """Gives the connector what `Names` finds."""

    def __init__(self, names: Names) -> None:
        self._names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._names.find(host, port, family)
        return [
            ResolveResult(
                hostname=host, host=address[0], port=port, family=kind, proto=protocol, flags=socket.AI_NUMERICHOST
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """The names are closed by who made them."""
