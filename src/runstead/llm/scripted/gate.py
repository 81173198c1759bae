"""A signal that works across threads and event loops, and a gate that pauses a scripted model."""

import asyncio
import threading

__all__ = ["Gate", "Signal"]


class Signal:
    """An event that is set once. One thread may set it while others wait for it, with or without an event loop."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def __bool__(self) -> bool:
        return self._event.is_set()

    def set(self) -> None:
        """Set the signal and wake all waiters."""
        with self._lock:
            self._event.set()
            waiting, self._waiting = self._waiting, []
        for loop, event in waiting:
            # A loop that was closed meanwhile has no waiters left.
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def wait(self) -> None:
        """Wait until the signal is set."""
        event = asyncio.Event()
        with self._lock:
            if self._event.is_set():
                return
            self._waiting.append((asyncio.get_running_loop(), event))
        await event.wait()

    def wait_blocking(self, timeout: float) -> bool:
        """Wait without an event loop, `timeout` seconds at most. Returns whether the signal is set."""
        return self._event.wait(timeout)


class Gate:
    """Pauses a scripted model at this place in its turn until the test opens the gate."""

    def __init__(self) -> None:
        self.reached = Signal()
        """Set when the model reaches the gate."""
        self.opened = Signal()

    def open(self) -> None:
        """Let the model continue, this time and every time after."""
        self.opened.set()
