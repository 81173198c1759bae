"""The client of a server: `connect`, and the types that it returns.

Names are imported on first use, so that a sync program does not load the async client.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from runstead.client.http.retries import RetryPolicy
from runstead.client.http.target import DEFAULT_URL, Target

if TYPE_CHECKING:
    from runstead.client._async.client import AsyncClient
    from runstead.client._async.pages import AsyncPage
    from runstead.client._async.stream import AsyncRunStream
    from runstead.client._async.transport import AsyncTransport
    from runstead.client._sync.client import Client
    from runstead.client._sync.pages import Page
    from runstead.client._sync.stream import RunStream
    from runstead.client._sync.transport import Transport
    from runstead.client.tools.tool import Tool, function_tool

__all__ = [
    "AsyncClient",
    "AsyncPage",
    "AsyncRunStream",
    "AsyncTransport",
    "Client",
    "Page",
    "RunStream",
    "Tool",
    "Transport",
    "connect",
    "connect_async",
    "function_tool",
]


_MODULES = {
    "AsyncClient": "_async.client",
    "AsyncPage": "_async.pages",
    "AsyncRunStream": "_async.stream",
    "AsyncTransport": "_async.transport",
    "Client": "_sync.client",
    "Page": "_sync.pages",
    "RunStream": "_sync.stream",
    "Tool": "tools.tool",
    "Transport": "_sync.transport",
    "function_tool": "tools.tool",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def connect(
    url: str | None = None,
    *,
    api_key: str | None = None,
    timeout: float = 60.0,
    max_retries: int = 2,
    max_response: int = 64 * 2**20,
    headers: Mapping[str, str] | None = None,
) -> "Client":
    """A client of the server at `url`, with or without a trailing `/v1`. Nothing is sent yet.

    `url` defaults to `RUNSTEAD_URL`, then to the address where `runstead serve` listens by default. `api_key` defaults
    to `RUNSTEAD_API_KEY`, then to none. `timeout` bounds a whole call with its retries, in seconds; a stream until its
    first byte, and an upload or a download wherever it stands still. `max_retries` is how often a request is retried
    where that is safe. `max_response` is how many bytes a response, or an event of a stream, may have; a download may
    have more. `headers` are sent with every request.
    """
    from runstead.client._sync.client import Client  # noqa: PLC0415 (most programs use one of the two clients)
    from runstead.client._sync.http import HttpTransport  # noqa: PLC0415
    from runstead.client._sync.pool import Pool  # noqa: PLC0415
    from runstead.client.http.connections import sync_connections  # noqa: PLC0415

    target = _target(url, api_key, headers)
    pool = Pool(sync_connections(target))
    return Client(
        HttpTransport(target, pool, timeout=timeout, max_response=max_response, retries=RetryPolicy(max_retries))
    )


def connect_async(
    url: str | None = None,
    *,
    api_key: str | None = None,
    timeout: float = 60.0,
    max_retries: int = 2,
    max_response: int = 64 * 2**20,
    headers: Mapping[str, str] | None = None,
) -> "AsyncClient":
    """As `connect`, for `asyncio`. The client belongs to the event loop that first uses it."""
    from runstead.client._async.client import AsyncClient  # noqa: PLC0415 (most programs use one of the two clients)
    from runstead.client._async.http import AsyncHttpTransport  # noqa: PLC0415
    from runstead.client._async.pool import AsyncPool  # noqa: PLC0415
    from runstead.client.http.connections import async_connections  # noqa: PLC0415

    target = _target(url, api_key, headers)
    pool = AsyncPool(async_connections(target))
    return AsyncClient(
        AsyncHttpTransport(target, pool, timeout=timeout, max_response=max_response, retries=RetryPolicy(max_retries))
    )


def _target(url: str | None, api_key: str | None, headers: Mapping[str, str] | None) -> Target:
    where = os.environ.get("RUNSTEAD_URL", DEFAULT_URL) if url is None else url
    return Target(where, os.environ.get("RUNSTEAD_API_KEY") if api_key is None else api_key, headers)
