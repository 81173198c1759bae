"""Names looked up on threads of their own, so that a slow answer about a stranger's name holds up nobody else."""

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeAlias

__all__ = ["Lookup", "Names"]

Lookup: TypeAlias = Callable[..., list[Any]]
"""As `socket.getaddrinfo`."""

_THREADS = 16


class Names:
    """Looks names up."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._threads = ThreadPoolExecutor(_THREADS, "runstead-names")

    async def find(self, host: str, port: int, family: int) -> list[Any]:
        """What `socket.getaddrinfo` says of the name."""
        look = partial(self._lookup, host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        return await asyncio.get_running_loop().run_in_executor(self._threads, look)

    def close(self) -> None:
        """Take no more; what is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
