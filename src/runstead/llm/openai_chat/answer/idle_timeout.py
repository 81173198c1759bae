"""A limit on how long a model server may send nothing in the middle of an answer."""

import asyncio
from collections.abc import Callable

__all__ = ["IdleTimeout"]


class IdleTimeout:
    """Calls `on_expiry` when one read lasts longer than `limit` seconds.

    A stream has one timer, which is set again only when it fires. A read therefore costs two assignments, which matters
    because there is one for every token.
    """

    def __init__(self, limit: float, on_expiry: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._on_expiry = on_expiry
        self._reading_since: float | None = None
        self._timer = self._loop.call_later(limit, self._check)
        self.expired = False

    def begin_read(self) -> None:
        """A read begins."""
        self._reading_since = self._loop.time()

    def end_read(self) -> None:
        """The read is over. The time until the next read is the consumer's, and does not count."""
        self._reading_since = None

    def stop(self) -> None:
        """The stream is over."""
        self._timer.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        since = now if self._reading_since is None else self._reading_since
        if now - since >= self._limit:
            self.expired = True
            self._on_expiry()
        else:
            self._timer = self._loop.call_at(since + self._limit, self._check)
