# Generated from src/runstead/client/_async/calls.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""What every part of the client stands on."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

from runstead.client._sync.pages import Page
from runstead.client._sync.transport import Transport
from runstead.wire import page as wire
from runstead.wire.endpoint import Endpoint
from runstead.wire.page import ListQuery

__all__ = ["Calls"]

T = TypeVar("T")


class Calls:
    """A transport, a way to pause, and lists."""

    def __init__(self, transport: Transport, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._transport = transport
        self._sleep = sleep

    def _page(self, endpoint: Endpoint[wire.Page[T]], path: Mapping[str, str], query: ListQuery) -> Page[T]:
        page = self._transport.call(endpoint, path, query)
        return Page(page, query, partial(self._page, endpoint, path))
