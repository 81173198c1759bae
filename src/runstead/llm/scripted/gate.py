"""Signals that a test can wait for and give, from any thread, and a gate that holds a scripted model."""

import asyncio
import threading

__all__ = ["Gate", "Signal"]


class Signal:
    """Something that happens once. May be set in one thread and waited for in another, with or without a loop."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """It has happened."""
        with self._lock:
            self._event.set()
            waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            # A loop that was closed meanwhile has nobody left who waits.
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def wait(self) -> None:
        """Until it has happened."""
        event = asyncio.Event()
        with self._lock:
            if self._event.is_set():
                return
            self._waiting.append((asyncio.get_running_loop(), event))
        await event.wait()

    def wait_blocking(self, timeout: float) -> bool:
        """The same without a loop: whether it has happened within `timeout` seconds."""
        return self._event.wait(timeout)


class Gate:
    """Holds a scripted model at this place of its turn until the test opens it."""

    def __init__(self) -> None:
        self.reached = Signal()
        """The model stands before it."""
        self.opened = Signal()

    def open(self) -> None:
        """Let the model pass, now and always."""
        self.opened.set()
