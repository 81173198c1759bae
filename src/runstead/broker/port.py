"""The port of the broker, which is fast and may lose messages.

It may lose, double or delay any message, so every wait for one ends in a read of the store after a time. Publishing
never fails and never waits: a message that cannot be sent is lost.
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
    """To be called when the run is claimed, or need not be. An offer without it may be delivered again."""


class Broker(Protocol):
    """Offers of runs, live events, and interrupts."""

    @property
    def connected(self) -> bool:
        """Whether messages reach other processes now. A broker of one process needs no connection."""
        ...

    async def start(self) -> None:
        """Connect. The servers may be started later. Messages published until then may be lost."""
        ...

    async def stop(self) -> None:
        """Send the waiting messages, within a few seconds, and disconnect."""
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
        """The run's events as they arrive, the kept deltas first.

        None instead of events means that the store must be read: no event has arrived for a while, or events were
        dropped.
        """
        ...

    async def interrupt(self, run_id: str) -> None:
        """Ask the worker that executes this run to read its status now."""
        ...

    def interrupts(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """The ids of runs that were interrupted."""
        ...
