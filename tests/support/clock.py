"""A clock that stands still until the test says how late it is."""

import asyncio
from contextlib import suppress
from time import monotonic

__all__ = ["FastClock", "ManualClock"]

START = 1_700_000_000.0


class ManualClock:
    """Implements `engine.ports.Clock`. Who sleeps wakes when the time has come, by `advance` and nothing else."""

    def __init__(self, time: float = START) -> None:
        self._time = time
        self._sleeping: list[tuple[float, asyncio.Event]] = []
        self._expected = 0
        self._all_sleep = asyncio.Event()

    def time(self) -> float:
        return self._time

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self._sleeping.append((self._time + seconds, awake))
        if len(self._sleeping) >= self._expected:
            self._all_sleep.set()
        await awake.wait()

    async def advance(self, seconds: float) -> None:
        """Let time pass. Who slept has had a look and sleeps again when this returns, unless something holds it up."""
        self._time += seconds
        self._expected = len(self._sleeping)
        self._all_sleep.clear()
        due = [awake for at, awake in self._sleeping if at <= self._time]
        self._sleeping = [(at, awake) for at, awake in self._sleeping if at > self._time]
        for awake in due:
            awake.set()
        if due:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await self._all_sleep.wait()

    def slip(self, seconds: float) -> None:
        """Let time pass without anybody noticing yet."""
        self._time += seconds


class FastClock:
    """A clock on which a second takes ten milliseconds, for tests in which time must pass by itself."""

    _FACTOR = 100

    def time(self) -> float:
        return START + monotonic() * self._FACTOR

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._FACTOR)
