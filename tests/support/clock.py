"""A clock that stands still until the test says how late it is."""

import asyncio
from contextlib import suppress
from time import monotonic

__all__ = ["FastClock", "ManualClock"]

START = 1_700_000_000.0


class ManualClock:
    """Implements `engine.adapters.Clock`. Who sleeps wakes when the time has come, by `advance` and nothing else."""

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
            if sleeper in self._sleeping:  # it is cancelled
                self._sleeping.remove(sleeper)

    async def advance(self, seconds: float) -> None:
        """Let time pass. Who slept has had a look and sleeps again when this returns, unless something holds it up."""
        self._time += seconds
        expected = len(self._sleeping)
        due = [awake for at, awake in self._sleeping if at <= self._time]
        self._sleeping = [(at, awake) for at, awake in self._sleeping if at > self._time]
        for awake in due:
            awake.set()
        await self.asleep(expected, patience=0.5)

    async def asleep(self, sleepers: int, patience: float = 5.0) -> None:
        """Wait until so many sleep, unless something holds one of them up.

        Who is looking while time passes has seen what was before, and sleeps on from what is now.
        """
        self._expected = sleepers
        self._all_sleep.clear()
        if len(self._sleeping) < sleepers:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._all_sleep.wait()

    @property
    def sleepers(self) -> int:
        """How many sleep."""
        return len(self._sleeping)

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
