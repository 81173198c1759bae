"""Both clients of a server, called alike."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isawaitable
from typing import Any

from runstead.client import connect, connect_async

__all__ = ["CLIENTS", "Caller", "call_async", "call_sync"]

Caller = Callable[..., Any]


def call_sync(url: str, call: Callable[[Any], Any], **options: Any) -> Any:
    """The result of the sync client; of a stream all events."""
    with connect(url, **options) as client:
        found = call(client)
        return list(found) if isinstance(found, Iterator) else found


def call_async(url: str, call: Callable[[Any], Any], **options: Any) -> Any:
    """The result of the async client; of a stream all events."""

    async def made() -> Any:
        async with connect_async(url, **options) as client:
            found = call(client)
            if isawaitable(found):
                return await found
            return [each async for each in found] if isinstance(found, AsyncIterator) else found

    return asyncio.run(made())


CLIENTS = {"sync": call_sync, "async": call_async}
