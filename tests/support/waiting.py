"""Waiting for something to become true, without guessing how long it takes."""

import asyncio
from collections.abc import Awaitable, Callable

__all__ = ["PATIENCE", "until", "within"]

PATIENCE = 20.0
"""Seconds after which a test gives up; a test that passes never waits so long."""


def within(seconds: float = PATIENCE) -> asyncio.Timeout:
    """No longer than this."""
    return asyncio.timeout(seconds)


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Wait for what gives no signal of its own, such as rows in a store."""
    async with within():
        while True:
            said = true()
            if said if isinstance(said, bool) else await said:
                return
            await asyncio.sleep(0.002)
