"""Request bodies: received within a limit for each and a limit for all together, and decoded.

A large body is decoded on a thread. The decoder holds the interpreter lock for some milliseconds at a time, because
`json_shape` limits what it reads. The event loop continues in between.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.types import Receive

from runstead.api.errors import BodiesFull
from runstead.interface.transfer import Disconnected
from runstead.wire.error import TooLarge

__all__ = ["Bodies", "check_length", "chunks"]

T = TypeVar("T")

_SMALL = 32 * 1024
"""Bytes up to which a body is decoded on the event loop, in about a millisecond."""
_THREADS = 2
"""More threads would only take turns at the interpreter lock."""


class Bodies:
    """The JSON bodies that a server is receiving. Together they have at most `total` bytes; small ones do not count."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._held = 0
        self._threads = ThreadPoolExecutor(_THREADS, "runstead-bodies")

    async def read(
        self, receive: Receive, headers: Mapping[bytes, bytes], limit: int, decode: Callable[[bytes], T]
    ) -> T:
        """The decoded body.

        `TooLarge` as soon as the body is known to exceed `limit`, `BodiesFull` if it does not fit beside the others.
        """
        check_length(headers, limit)
        chunk, more = await _next_chunk(receive, 0, limit)
        if not more and len(chunk) <= _SMALL:
            return decode(chunk)
        body = bytearray()
        held = 0
        try:
            while True:
                body += chunk
                if len(body) > _SMALL:
                    held = self._hold(held, len(body))
                if not more:
                    return await self._decode(body, decode)
                chunk, more = await _next_chunk(receive, len(body), limit)
        finally:
            self._held -= held

    def _hold(self, held: int, size: int) -> int:
        """Count `size` bytes of a body, of which `held` were counted before. Returns `size`."""
        if self._held - held + size > self._total:
            raise BodiesFull
        self._held += size - held
        return size

    async def _decode(self, body: bytearray, decode: Callable[[bytes], T]) -> T:
        if len(body) <= _SMALL:
            return decode(bytes(body))
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: decode(bytes(body)))


async def chunks(receive: Receive, limit: int) -> AsyncGenerator[bytes]:
    """A body as it arrives; `TooLarge` as soon as it is known to exceed the limit."""
    size, more = 0, True
    while more:
        chunk, more = await _next_chunk(receive, size, limit)
        size += len(chunk)
        yield chunk


def check_length(headers: Mapping[bytes, bytes], limit: int) -> None:
    """`TooLarge` if the announced length exceeds the limit."""
    announced = headers.get(b"content-length", b"").lstrip(b"0")
    # Python refuses to read numbers of more than 4,300 digits.
    if announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(limit)


async def _next_chunk(receive: Receive, size: int, limit: int) -> tuple[bytes, bool]:
    """The next bytes of a body of which `size` were read, and whether more follow. `TooLarge` if they exceed the limit.

    `Disconnected` if the client has left before it had sent its whole request.
    """
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected("The client left before it had sent its whole request.")
    chunk: bytes = message.get("body", b"")
    if size + len(chunk) > limit:
        raise _too_large(limit)
    return chunk, message.get("more_body", False)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body of your request is too large. At most {limit} bytes are read.", code="body_too_large")
