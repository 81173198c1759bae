"""Waiting until a run ends or needs tool outputs."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from runstead.client._async.reconnect import follow
from runstead.client._async.transport import AsyncTransport
from runstead.client.deadline import Deadline
from runstead.client.http.retries import backoff
from runstead.client.streams.stream_position import StreamPosition, run_events_call
from runstead.wire.endpoints import runs as endpoint
from runstead.wire.error import ApiError, WaitTimeout
from runstead.wire.run import Run

__all__ = ["NOT_SUPPORTED", "AsyncRunWait"]

NOT_SUPPORTED = frozenset({404, 405, 501})
"""The statuses with which servers answer a call that they do not have."""


class AsyncRunWait:
    """Observes one run until it pauses: by its events where the server has them, else by polling."""

    def __init__(
        self, transport: AsyncTransport, run: Run, deadline: Deadline, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._transport = transport
        self._deadline = deadline
        self._sleep = sleep
        self._path = {"thread_id": run.thread_id, "run_id": run.id}
        self.run = run
        """The run as it was last seen."""

    async def until_paused(self) -> Run:
        """The run when it has ended or waits for tool outputs. `WaitTimeout` after the deadline."""
        try:
            if not await self._has_paused() and not await self._paused_by_events():
                await self._poll()
        except WaitTimeout as error:
            seen = f"run {self.run.id} was {self.run.status} when it was last seen. It goes on."
            raise WaitTimeout(f"After {self._deadline.seconds:g} s {seen}") from error
        return self.run

    async def _has_paused(self) -> bool:
        """Get the run once. True if it has paused."""
        self.run = await self._transport.call(endpoint.GET_RUN, self._path, deadline=self._deadline)
        return self.run.status.pausing

    async def _paused_by_events(self) -> bool:
        """Read the run's events to their end. True if it has paused; False also if the server has no such call."""
        position = StreamPosition(self.run.thread_id, self.run.id, from_start=True)
        call = run_events_call(self.run.thread_id, self.run.id)
        try:
            async with aclosing(follow(self._transport, call, position, self._sleep, self._deadline)) as events:
                async for event in events:
                    if isinstance(event.data, Run):
                        self.run = event.data
        except ApiError as error:
            if error.status not in NOT_SUPPORTED:
                raise
            return False
        return self.run.status.pausing

    async def _poll(self) -> None:
        """Get the run until it has paused, at the interval that the server asks for."""
        attempt = 0
        while not self.run.status.pausing:
            if self._deadline.over:
                raise WaitTimeout
            attempt += 1
            self.run, interval = await self._transport.poll(endpoint.GET_RUN, self._path, self._deadline)
            if not self.run.status.pausing:
                pause = backoff(attempt, first=0.1, longest=1.0) if interval is None else interval
                await self._sleep(min(pause, self._deadline.remaining))
