"""How many readers of events hold a page of the store at once.

A page has half a MiB, or one larger event. A reader has read it before its client has taken any of it, so thousands of
replays that begin together would fill the memory. With permits they take turns:

    async with permits.page():
        ...  # read a page, and give it to the client

A slow client keeps others waiting for a second at most.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["PagePermits"]


class PagePermits:
    """At most `pages` readers are inside, besides those whose clients take longer than `patience` seconds for a page.
    The server limits the pages of those: it closes connections that leave too much unread.
    """

    def __init__(self, pages: int = 32, *, patience: float = 1.0) -> None:
        self._free = asyncio.Semaphore(pages)
        self._patience = patience

    @asynccontextmanager
    async def page(self) -> AsyncIterator[None]:
        """While inside, a page may be held."""
        await self._free.acquire()
        permit = _Permit(self._free)
        impatience = asyncio.get_running_loop().call_later(self._patience, permit.release)
        try:
            yield
        finally:
            impatience.cancel()
            permit.release()


class _Permit:
    """One permit, which is released once."""

    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._held = True

    def release(self) -> None:
        if self._held:
            self._held = False
            self._free.release()
