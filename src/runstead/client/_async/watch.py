"""Waiting for a run, without reading what it writes."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing

from runstead.client._async.follow import follow
from runstead.client._async.transport import AsyncTransport
from runstead.client.deadline import Deadline
from runstead.client.retries import backoff
from runstead.client.standing import Standing, events_of
from runstead.wire.endpoints import runs as endpoint
from runstead.wire.error import ApiError, WaitTimeout
from runstead.wire.run import Run

__all__ = ["AsyncWatch"]

LACKING = frozenset({404, 405, 501})
"""What servers answer to a call that they do not have."""


class AsyncWatch:
    """Looks at one run until it pauses: by its events where the server has them, else by asking again and again."""

    def __init__(
        self, transport: AsyncTransport, run: Run, deadline: Deadline, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._transport = transport
        self._deadline = deadline
        self._sleep = sleep
        self._path = {"thread_id": run.thread_id, "run_id": run.id}
        self.run = run
        """The run as it was last seen."""

    async def paused(self) -> Run:
        """The run when it has ended or waits for tool outputs. `WaitTimeout` after the deadline."""
        try:
            if not await self._asked() and not await self._followed():
                await self._polled()
        except WaitTimeout as error:
            seen = f"run {self.run.id} was {self.run.status} when it was last seen. It goes on."
            raise WaitTimeout(f"After {self._deadline.seconds:g} s {seen}") from error
        return self.run

    async def _asked(self) -> bool:
        """Whether the run has paused; ask once."""
        self.run = await self._transport.call(endpoint.GET_RUN, self._path, deadline=self._deadline)
        return self.run.status.pausing

    async def _followed(self) -> bool:
        """Whether the run has paused, after reading its events to their end; False if there are none to be had."""
        standing = Standing(self.run.thread_id, self.run.id, from_start=True)
        call = events_of(self.run.thread_id, self.run.id)
        try:
            async with aclosing(follow(self._transport, call, standing, self._sleep, self._deadline)) as events:
                async for event in events:
                    if isinstance(event.data, Run):
                        self.run = event.data
        except ApiError as error:
            if error.status not in LACKING:
                raise
            return False
        return self.run.status.pausing

    async def _polled(self) -> None:
        """Ask until the run has paused, as often as the server wishes."""
        tried = 0
        while not self.run.status.pausing:
            if self._deadline.over:
                raise WaitTimeout
            tried += 1
            self.run, wish = await self._transport.poll(endpoint.GET_RUN, self._path, self._deadline)
            if not self.run.status.pausing:
                pause = backoff(tried, first=0.1, longest=1.0) if wish is None else wish
                await self._sleep(min(pause, self._deadline.remaining))
