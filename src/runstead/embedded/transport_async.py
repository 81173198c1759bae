"""The transport of `open_async`: calls to the engine on the same event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from copy import copy
from typing import Any, Self, TypeVar, cast

from runstead.client._async.download import AsyncDownload
from runstead.client._async.upload import AsyncUpload
from runstead.client.deadline import Deadline
from runstead.client.http.incoming import ContentHead
from runstead.embedded.calls import Calls
from runstead.engine.resources.caller import Caller
from runstead.interface.operation import Operations
from runstead.interface.operations import OPERATIONS
from runstead.wire.codec.response import read_event
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.error import WaitTimeout
from runstead.wire.event import Event
from runstead.wire.file import FileContent
from runstead.wire.struct import Request

__all__ = ["AsyncEngineTransport", "head_of", "within"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")

POLL_AFTER = 0.02
"""The polling interval in seconds. A poll only reads the local file."""


class AsyncEngineTransport:
    """Makes the calls of an `AsyncClient` to an engine in the same process."""

    def __init__(self, caller: Caller, operations: Operations = OPERATIONS) -> None:
        self._calls = Calls(caller, operations)

    async def call(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        async with within(deadline):
            return await self._calls.call(endpoint, path, query, body)

    async def poll(
        self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        return await self.call(endpoint, path, deadline=deadline), POLL_AFTER

    async def stream(
        self,
        endpoint: Endpoint[Q, B, Any],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncGenerator[Event]:
        async with aclosing(self._calls.stream(endpoint, path, query, body)) as batches:
            while True:
                async with within(deadline):
                    events = await anext(batches, None)
                if events is None:
                    return
                for event in events:
                    yield read_event(event)

    async def upload(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        upload: AsyncUpload[B],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        async with within(deadline):
            return await self._calls.upload(endpoint, path, query, upload)

    async def download(
        self,
        endpoint: Endpoint[Q, B, FileContent],
        path: Mapping[str, str],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncDownload:
        content = await self.call(endpoint, path, query, deadline=deadline)
        chunks = _bounded(content, deadline)
        return AsyncDownload(head_of(content), chunks, chunks)

    def once(self, key: str | None) -> Self:
        transport = copy(self)
        transport._calls = self._calls.once(key)  # noqa: SLF001 (its own)
        return transport

    async def aclose(self) -> None:
        """Nothing to close: the engine belongs to `open_async`."""


def head_of(content: FileContent) -> ContentHead:
    """The headers that a server would send for the content."""
    return ContentHead(content.content_type, content.size, content.file_name)


async def _bounded(content: FileContent, deadline: Deadline | None) -> AsyncGenerator[bytes]:
    async with aclosing(cast("AsyncGenerator[bytes]", content.read(0, content.size))) as chunks:
        while True:
            async with within(deadline):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield chunk


@asynccontextmanager
async def within(deadline: Deadline | None) -> AsyncIterator[None]:
    """`WaitTimeout` if the block is not done by the deadline."""
    try:
        async with asyncio.timeout(None if deadline is None else deadline.remaining):
            yield
    except TimeoutError as error:
        if deadline is None or not deadline.over:
            raise
        raise WaitTimeout(f"Not done within {deadline.seconds:g} s.") from error
