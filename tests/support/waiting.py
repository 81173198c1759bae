"""Waiting for a condition, without guessing how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["PATIENCE", "until", "within"]

PATIENCE = 20.0
"""Seconds after which a wait fails. A passing test never waits this long."""


def within(seconds: float = PATIENCE) -> asyncio.Timeout:
    """A timeout of the block."""
    return asyncio.timeout(seconds)


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Poll a condition that gives no signal of its own, such as rows in a store."""
    async with within():
        while True:
            said = true()
            if said if isinstance(said, bool) else await said:
                return
            await asyncio.sleep(0.002)
