# Generated from src/runstead/client/_async/calls.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The base of every part of the client: its transport, and pagination."""

import time
from collections.abc import Callable, Mapping
from copy import copy
from functools import partial
from typing import Self, TypeVar

from runstead.client._sync.pages import Page
from runstead.client._sync.transport import Transport
from runstead.wire import page as wire
from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.page import ListQuery

__all__ = ["Calls"]

T = TypeVar("T")
L = TypeVar("L", bound=ListQuery)


class Calls:
    """Makes calls over a transport. `sleep` pauses between retries."""

    def __init__(self, transport: Transport, *, sleep: Callable[[float], None] = time.sleep) -> None:
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

    def _page(self, endpoint: Endpoint[L, Nothing, wire.Page[T]], path: Mapping[str, str], query: L) -> Page[T]:
        page = self._transport.call(endpoint, path, query)
        return Page(page, query, partial(self._page, endpoint, path))
