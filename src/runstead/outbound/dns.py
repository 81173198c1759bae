"""DNS lookups on threads of their own, so that a slow name server cannot block other work."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

__all__ = ["GetAddrInfo", "ThreadedResolver"]

GetAddrInfo: TypeAlias = Callable[..., list[Any]]
"""The signature of `socket.getaddrinfo`."""

_THREADS = 16


class ThreadedResolver:
    """Resolves names by `socket.getaddrinfo`, at most 16 at once."""

    def __init__(self, lookup: GetAddrInfo) -> None:
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_THREADS, "runstead-dns")

    async def resolve(self, host: str, port: int, family: int) -> list[Any]:
        """The result of `socket.getaddrinfo` for the name."""
        look = partial(self._lookup, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return await asyncio.get_running_loop().run_in_executor(self._threads, look)

    def close(self) -> None:
        """Start no more lookups. Running ones end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
