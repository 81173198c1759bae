"""Starting a part in the middle of a call, which may be cancelled."""

import asyncio
from typing import Protocol, TypeVar

__all__ = ["Part", "started"]


class Part(Protocol):
    """Something that holds resources from its start to its stop."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


P = TypeVar("P", bound=Part)


async def started(part: P) -> P:
    """The part, started. If this is cancelled, it waits for the end of the start, and stops the part again: a start
    that was broken off would leave processes or open files behind.
    """
    starting = asyncio.get_running_loop().create_task(part.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting])
        await part.stop()
        raise
    return part
