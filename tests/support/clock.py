"""Clocks for tests: one that the test advances, and one that runs fast."""

import asyncio
from contextlib import suppress
from time import monotonic

__all__ = ["FastClock", "ManualClock"]

START = 1_700_000_000.0


class ManualClock:
    """Implements `engine.adapters.Clock`. A sleeping task wakes only when `advance` reaches its time."""

    def __init__(self, time: float = START) -> None:
        self._time = time
        self._sleeping: list[tuple[float, asyncio.Event]] = []
        self._expected = 0
        self._all_sleep = asyncio.Event()

    def time(self) -> float:
        return self._time

    async def sleep(self, seconds: float) -> None:
        sleeper = (self._time + seconds, asyncio.Event())
        self._sleeping.append(sleeper)
        if len(self._sleeping) >= self._expected:
            self._all_sleep.set()
        try:
            await sleeper[1].wait()
        finally:
            if sleeper in self._sleeping:  # the sleep was cancelled
                self._sleeping.remove(sleeper)

    async def advance(self, seconds: float) -> None:
        """Advance the time. Woken tasks had half a second to sleep again when this returns."""
        self._time += seconds
        expected = len(self._sleeping)
        due = [awake for at, awake in self._sleeping if at <= self._time]
        self._sleeping = [(at, awake) for at, awake in self._sleeping if at > self._time]
        for awake in due:
            awake.set()
        await self.wait_for_sleepers(expected, patience=0.5)

    async def wait_for_sleepers(self, sleepers: int, patience: float = 5.0) -> None:
        """Wait until this many tasks sleep, at most `patience` seconds.

        A task that is awake while time passes has read the old time. It then sleeps from the new one.
        """
        self._expected = sleepers
        self._all_sleep.clear()
        if len(self._sleeping) < sleepers:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._all_sleep.wait()

    @property
    def sleepers(self) -> int:
        """The number of sleeping tasks."""
        return len(self._sleeping)

    def slip(self, seconds: float) -> None:
        """Advance the time without waking any task, or set it back."""
        self._time += seconds


class FastClock:
    """A clock whose second takes ten milliseconds, for tests that need time to pass by itself.

    Two of them differ by the seconds that they are `ahead`, which a test may set.
    """

    _FACTOR = 100

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def time(self) -> float:
        return START + monotonic() * self._FACTOR + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._FACTOR)
