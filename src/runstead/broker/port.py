"""The port of the broker: fast and forgetful.

It may lose, double or delay anything: every wait on it ends, after a time, in a read of the store. Telling it something
never fails and never waits: what cannot be told is lost.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from runstead.wire.event import RawEvent

__all__ = ["Broker", "Offer"]


class Offer(NamedTuple):
    """A hint that a run is ready."""

    run_id: str
    ack: Callable[[], object]
    """To be called once it was taken, or there was nothing to take; an offer that is not done may come again."""


class Broker(Protocol):
    """Offers of work, live events, and interrupts."""

    async def start(self) -> None:
        """Begin. It need not be there yet: until then, what it is told may be lost."""
        ...

    async def stop(self) -> None:
        """What was told is on its way; nothing is told any more."""
        ...

    async def offer(self, run_id: str) -> None:
        """A run is ready: tell one of the workers."""
        ...

    def offers(self) -> AbstractAsyncContextManager[AsyncIterator[Offer]]:
        """What is offered to this worker, among all that listen: one at a time, and only while it waits for one."""
        ...

    async def publish(self, run_id: str, events: Sequence[RawEvent]) -> None:
        """Tell whoever follows the run; deltas of the open message are kept for those who come late."""
        ...

    def subscribe(self, run_id: str) -> AbstractAsyncContextManager[AsyncIterator[Sequence[RawEvent] | None]]:
        """The run's events as they come, kept deltas first; None after silence or when some were dropped."""
        ...

    async def interrupt(self, run_id: str) -> None:
        """Whoever works on this run, look at its status now."""
        ...

    def interrupts(self) -> AbstractAsyncContextManager[AsyncIterator[str]]:
        """The ids of runs that were interrupted."""
        ...
