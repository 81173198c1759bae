"""From the thread that runs a model to the loop that reads its answer."""

import asyncio
import threading
from typing import Any

__all__ = ["Line"]


class Line:
    """The events of one answer, handed over. Of its methods, only `put` is called in the model's thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._ended = False
        self._left = threading.Event()

    def put(self, event: dict[str, Any]) -> bool:
        """Hand over an event; tells whether nobody wants more."""
        if not self._left.is_set():
            self._loop.call_soon_threadsafe(self._add, event)
        return self._left.is_set()

    def end(self) -> None:
        """No more events will come."""
        self._ended = True
        self._news.set()

    def leave(self) -> None:
        """Nobody wants more."""
        self._left.set()

    async def take(self) -> list[dict[str, Any]]:
        """The events that came since the last time; none at the end."""
        if not self._ended:
            await self._news.wait()
            self._news.clear()
        events, self._events = self._events, []
        return events

    def _add(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        self._news.set()
