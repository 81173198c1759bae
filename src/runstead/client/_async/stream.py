"""A run's events as a program reads them."""

from collections.abc import AsyncGenerator, AsyncIterator
from types import TracebackType
from typing import Self

from runstead.client.snapshots import Snapshots
from runstead.client.texts import Texts
from runstead.wire.error import ErrorBody, Unreachable, api_error
from runstead.wire.event import Event
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep

__all__ = ["AsyncRunStream"]


class AsyncRunStream(AsyncIterator[Event]):
    """The events of a run, once each, in order, also over connections that break.

    Nothing is sent before the first event is asked for. Use it with `async with`, or read it to its end: then its
    connection is given back. Leaving early does not stop the run. An `error` event is raised as `ApiError`.
    """

    def __init__(self, events: AsyncGenerator[Event]) -> None:
        self._events = events
        self._snapshots: Snapshots | None = None
        self.run: Run | None = None
        """The run as the last event that told of it said; None before the first."""

    def with_snapshots(self) -> Self:
        """Itself, with `messages` and `steps` kept up to date. Ask before reading; it costs time on every event."""
        self._snapshots = Snapshots()
        return self

    @property
    def messages(self) -> list[Message]:
        """The messages of this run as far as they are written, oldest first."""
        return list(self._kept.messages.values())

    @property
    def steps(self) -> list[RunStep]:
        """The steps of this run as far as they are done, oldest first."""
        return list(self._kept.steps.values())

    @property
    def _kept(self) -> Snapshots:
        if self._snapshots is None:
            raise ValueError("Snapshots are kept only when asked for: `with_snapshots()`.")
        return self._snapshots

    async def text_deltas(self) -> AsyncGenerator[str]:
        """The text that the assistant writes, as it comes."""
        texts = Texts()
        async for event in self:
            for text in texts.of(event):
                yield text

    async def final_run(self) -> Run:
        """Read to the end, and give the run as it is then: ended, or waiting for tool outputs."""
        await self.drained()
        if self.run is None:
            raise Unreachable("The stream ended without telling of a run.")
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
            self._snapshots.note(event)
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
