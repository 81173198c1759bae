"""The transport of `open`: calls to the engine on its own thread, from any other thread."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from copy import copy
from functools import partial
from typing import Any, Generic, Self, TypeVar, cast

from runstead.client._sync.download import Download
from runstead.client._sync.upload import Upload, UploadFile
from runstead.client.deadline import Deadline
from runstead.embedded.calls import Calls
from runstead.embedded.thread import EngineThread
from runstead.embedded.transport_async import POLL_AFTER, head_of, within
from runstead.engine.resources.caller import Caller
from runstead.interface.operation import Operations
from runstead.interface.operations import OPERATIONS
from runstead.wire.codec.response import read_event
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.event import Event
from runstead.wire.file import FileContent
from runstead.wire.struct import Request

__all__ = ["EngineTransport"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")
T = TypeVar("T")


class EngineTransport:
    """Makes the calls of a `Client`."""

    def __init__(self, engine: EngineThread, caller: Caller, operations: Operations = OPERATIONS) -> None:
        self._engine = engine
        self._calls = Calls(caller, operations)

    def call(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        return self._engine.wait(_do(lambda: self._calls.call(endpoint, path, query, body), deadline))

    def poll(
        self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        return self.call(endpoint, path, deadline=deadline), POLL_AFTER

    def stream(
        self,
        endpoint: Endpoint[Q, B, Any],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> Generator[Event]:
        for events in self._pulled(self._calls.stream(endpoint, path, query, body), deadline):
            for event in events:
                yield read_event(event)

    def upload(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        upload: Upload[B],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        form = _ThreadedUpload(upload)
        return self._engine.wait(_do(lambda: self._calls.upload(endpoint, path, query, form), deadline))

    def download(
        self,
        endpoint: Endpoint[Q, B, FileContent],
        path: Mapping[str, str],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> Download:
        content = self.call(endpoint, path, query, deadline=deadline)
        chunks = self._pulled(cast("AsyncGenerator[bytes]", content.read(0, content.size)), deadline)
        return Download(head_of(content), chunks, chunks)

    def once(self, key: str | None) -> Self:
        transport = copy(self)
        transport._calls = self._calls.once(key)  # noqa: SLF001 (its own)
        return transport

    def close(self) -> None:
        """Release the claimed runs, and close the store."""
        self._engine.close()

    def _pulled(self, items: AsyncGenerator[T], deadline: Deadline | None) -> Generator[T]:
        """The items of a generator that runs on the engine's thread."""
        pulled = _Pulled(items)
        held = self._engine.begin(pulled.hold())
        try:
            while (item := self._engine.wait(_do(pulled.next, deadline))) is not None:
                yield item
        finally:
            # Not waited for: the garbage collector may run this on the engine's own thread.
            held.cancel()


class _Pulled(Generic[T]):
    """A generator of the engine's thread that is read from another thread."""

    def __init__(self, items: AsyncGenerator[T]) -> None:
        self._items = items
        # A reader that is interrupted while it waits for the next item closes the generator at the same time.
        self._one_at_a_time = asyncio.Lock()

    async def next(self) -> T | None:
        """The next item; None at the end."""
        async with self._one_at_a_time:
            return await anext(self._items, None)

    async def hold(self) -> None:
        """Wait until cancelled, by the reader or when the engine stops; then close the generator."""
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            async with self._one_at_a_time:
                await self._items.aclose()


class _ThreadedUpload(Generic[B]):
    """An upload that is read in threads, because its sources may block. Implements `interface.transfer.Upload`."""

    def __init__(self, upload: Upload[B]) -> None:
        self._upload = upload

    async def files(self) -> "AsyncIterator[_ThreadedPart]":
        for part in self._upload.files():
            yield _ThreadedPart(part)

    async def fields(self) -> B:
        return self._upload.fields()


class _ThreadedPart:
    """One file of the upload."""

    def __init__(self, part: UploadFile) -> None:
        self._part = part
        self.name = part.name
        self.file_name = part.file_name
        self.content_type = part.content_type

    async def __aiter__(self) -> AsyncIterator[bytes]:
        chunks: Iterator[bytes] = iter(self._part)
        while (chunk := await asyncio.to_thread(partial(next, chunks, None))) is not None:
            yield chunk


async def _do(work: Callable[[], Awaitable[T]], deadline: Deadline | None) -> T:
    async with within(deadline):
        return await work()
