"""The port of the broker: fast and forgetful.

It may lose, double or delay anything. Every wait on it ends, after a time, in a read of the store. Publishing never
fails and never waits: a message that cannot be sent is lost.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from runstead.wire.event import RawEvent

__all__ = ["Broker", "Offer"]


class Offer(NamedTuple):
    """A hint that a run is ready to be claimed."""

    run_id: str
    ack: Callable[[], object]
    """To be called once the run was claimed, or need not be. An offer without it may be delivered again."""


class Broker(Protocol):
    """Offers of runs, live events, and interrupts."""

    async def start(self) -> None:
        """Connect. The servers may come up later: what is published until then may be lost."""
        ...

    async def stop(self) -> None:
        """Send what is waiting to be sent, within bounds, and disconnect."""
        ...

    async def offer(self, run_id: str) -> None:
        """Offer a run that is ready to one of the workers."""
        ...

    def offers(self) -> AbstractAsyncContextManager[AsyncIterator[Offer]]:
        """The offers to this worker, one at a time. None is fetched while the iterator is not being awaited."""
        ...

    async def publish(self, run_id: str, events: Sequence[RawEvent]) -> None:
        """Send events to the run's subscribers. The deltas of the open message are kept for late subscribers."""
        ...

    def subscribe(self, run_id: str) -> AbstractAsyncContextManager[AsyncIterator[Sequence[RawEvent] | None]]:
        """The run's events as they arrive, the kept deltas first. None means: read the store; nothing has arrived for a
        while, or events were dropped.
        """
        ...

    async def interrupt(self, run_id: str) -> None:
        """Ask the worker that executes this run to look at its status now."""
        ...

    def interrupts(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """The ids of runs that were interrupted."""
        ...
