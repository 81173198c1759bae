"""The stream of a run's events that the client returns."""

from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self

from runstead.client.streams.snapshots import Snapshots
from runstead.client.streams.text_deltas import TextDeltas
from runstead.wire.error import ErrorBody, Unreachable, api_error
from runstead.wire.event import Event
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep

__all__ = ["AsyncRunStream"]


class AsyncRunStream(AsyncIterator[Event]):
    """The events of a run, in order and each exactly once. The stream reconnects when its connection breaks.

    The request is sent when the first event is asked for. Use the stream with `async with`, or read it to its end, so
    that its connection returns to the pool. Closing it early does not stop the run. An `error` event raises `ApiError`.
    """

    def __init__(self, events: AsyncGenerator[Event]) -> None:
        self._events = events
        self._snapshots: Snapshots | None = None
        self.run: Run | None = None
        """The run in the latest event about it; None before the first."""

    def with_snapshots(self) -> Self:
        """The same stream, with `messages` and `steps` kept up to date, at a cost per event. Call it before reading."""
        self._snapshots = Snapshots()
        return self

    @property
    def messages(self) -> list[Message]:
        """The messages of this run so far, oldest first."""
        return self._required_snapshots.messages

    @property
    def steps(self) -> list[RunStep]:
        """The steps of this run so far, oldest first."""
        return self._required_snapshots.steps

    @property
    def _required_snapshots(self) -> Snapshots:
        if self._snapshots is None:
            raise ValueError("This stream keeps no snapshots. Call `with_snapshots()` first.")
        return self._snapshots

    async def text_deltas(self) -> AsyncGenerator[str]:
        """The pieces of the assistant's text as they arrive."""
        texts = TextDeltas()
        async for event in self:
            for text in texts.new_text(event):
                yield text

    async def final_run(self) -> Run:
        """Read to the end, and return the run: ended, or waiting for tool outputs."""
        await self.drained()
        if self.run is None:
            raise Unreachable("The stream ended without an event about a run.")
        return self.run

    async def drained(self) -> None:
        """Read to the end."""
        async for _ in self:
            pass

    async def __anext__(self) -> Event:
        event = await anext(self._events)
        data = event.data
        if isinstance(data, Run):
            self.run = data
        elif isinstance(data, ErrorBody):
            raise api_error(500, data.error)
        if self._snapshots is not None:
            self._snapshots.apply(event)
        return event

    async def aclose(self) -> None:
        """Stop reading. The run goes on."""
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
