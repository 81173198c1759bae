"""Passes the events of an answer from the thread that runs a model to the event loop that reads them."""

import asyncio
import threading
from typing import Any

__all__ = ["EventQueue"]


class EventQueue:
    """The events of one answer. Of its methods, only `put` is called in the model's thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._events: list[dict[str, Any]] = []
        self._changed = asyncio.Event()
        self._closed = False
        self._cancelled = threading.Event()

    def put(self, event: dict[str, Any]) -> bool:
        """Add an event. Returns whether the answer was cancelled, so that the model must stop."""
        if not self._cancelled.is_set():
            self._loop.call_soon_threadsafe(self._append, event)
        return self._cancelled.is_set()

    def close(self) -> None:
        """The model adds no more events."""
        self._closed = True
        self._changed.set()

    def cancel(self) -> None:
        """The answer is not read any further."""
        self._cancelled.set()

    async def get(self) -> list[dict[str, Any]]:
        """Wait for events, and return all that were added since the last call; empty at the end."""
        if not self._closed:
            await self._changed.wait()
            self._changed.clear()
        events, self._events = self._events, []
        return events

    def _append(self, event: dict[str, Any]) -> None:
        self._events.append(event)
        self._changed.set()
