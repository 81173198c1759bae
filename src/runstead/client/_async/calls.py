"""What every part of the client stands on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

from runstead.client._async.pages import AsyncPage
from runstead.client._async.transport import AsyncTransport
from runstead.wire import page as wire
from runstead.wire.endpoint import Endpoint
from runstead.wire.page import ListQuery

__all__ = ["AsyncCalls"]

T = TypeVar("T")


class AsyncCalls:
    """A transport, a way to pause, and lists."""

    def __init__(self, transport: AsyncTransport, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._transport = transport
        self._sleep = sleep

    async def _page(self, endpoint: Endpoint[wire.Page[T]], path: Mapping[str, str], query: ListQuery) -> AsyncPage[T]:
        page = await self._transport.call(endpoint, path, query)
        return AsyncPage(page, query, partial(self._page, endpoint, path))
