"""A limit on how long an upstream may say nothing in the middle of an answer."""

import asyncio
from collections.abc import Callable

__all__ = ["Silence"]


class Silence:
    """Calls `broken` when one wait lasts longer than `limit` seconds.

    One timer a stream, set again only when it fires: a wait costs two assignments, since there is one for every token.
    """

    def __init__(self, limit: float, broken: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._limit = limit
        self._broken = broken
        self._since: float | None = None
        self._timer = self._loop.call_later(limit, self._look)
        self.expired = False

    def begin(self) -> None:
        """Waiting begins."""
        self._since = self._loop.time()

    def end(self) -> None:
        """Something came. A reader that is slow itself is not the upstream's silence."""
        self._since = None

    def stop(self) -> None:
        """The stream is over."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        since = now if self._since is None else self._since
        if now - since >= self._limit:
            self.expired = True
            self._broken()
        else:
            self._timer = self._loop.call_at(since + self._limit, self._look)
