"""The base of every part of the client: its transport, and pagination."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from functools import partial
from typing import Self, TypeVar

from runstead.client._async.pages import AsyncPage
from runstead.client._async.transport import AsyncTransport
from runstead.wire import page as wire
from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.page import ListQuery

__all__ = ["AsyncCalls"]

T = TypeVar("T")
L = TypeVar("L", bound=ListQuery)


class AsyncCalls:
    """Makes calls over a transport. `sleep` pauses between retries."""

    def __init__(self, transport: AsyncTransport, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._transport = transport
        self._sleep = sleep

    def once(self, key: str) -> Self:
        """The client with an idempotency key for one call that creates or changes something.

        The server carries out the call once, however often it is repeated with this key within a day, and replays its
        response. It refuses another call with the same key. Use a key that the program finds again after a crash, such
        as the number of an order. The retries of one call need no key from the caller: the client makes one.
        """
        client = copy(self)
        client._transport = self._transport.once(key)  # noqa: SLF001 (its own)
        return client

    async def _page(
        self, endpoint: Endpoint[L, Nothing, wire.Page[T]], path: Mapping[str, str], query: L
    ) -> AsyncPage[T]:
        page = await self._transport.call(endpoint, path, query)
        return AsyncPage(page, query, partial(self._page, endpoint, path))
