"""What every part of the client stands on."""

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
    """A transport, a way to pause, and lists."""

    def __init__(self, transport: AsyncTransport, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._transport = transport
        self._sleep = sleep

    def once(self, key: str) -> Self:
        """The client for one call that creates or changes: it is carried out once, however often it is made with this
        key within a day.

        For what must not happen twice, whatever becomes of this program: take a key that it would find again, such as
        the number of an order. The call made again gives what it gave; another call with the same key is refused. (For
        the tries of one call nobody needs this: each has a key of its own.)
        """
        client = copy(self)
        client._transport = self._transport.once(key)  # noqa: SLF001 (its own)
        return client

    async def _page(
        self, endpoint: Endpoint[L, Nothing, wire.Page[T]], path: Mapping[str, str], query: L
    ) -> AsyncPage[T]:
        page = await self._transport.call(endpoint, path, query)
        return AsyncPage(page, query, partial(self._page, endpoint, path))
