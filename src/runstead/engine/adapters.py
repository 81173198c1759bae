"""The adapters of the engine, in one value that is passed to all of its parts."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct, field

from runstead.blobs.port import Blobs
from runstead.broker.port import Broker
from runstead.domain import ids
from runstead.engine.limits import Limits
from runstead.engine.observer import Observer, Unobserved
from runstead.engine.page_permits import PagePermits
from runstead.engine.retrieval.parts import Retrieval
from runstead.llm.port import ChatModel
from runstead.outbound.port import Outbound
from runstead.random_bytes import RandomBlocks
from runstead.retrieval.embeddings.port import Embeddings
from runstead.store.port import Store
from runstead.tools.port import Tool
from runstead.turn_budget import TurnBudget

__all__ = ["Adapters", "Clock", "SystemClock"]


class Clock(Protocol):
    """The time of day, the same in all processes over one store."""

    def time(self) -> float:
        """Unix time in seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock: for a store that one process owns."""

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Adapters(Struct, frozen=True, kw_only=True):
    """The adapters, clock and limits of one engine."""

    store: Store
    broker: Broker
    blobs: Blobs
    """The content of files."""
    model: ChatModel
    clock: Clock
    limits: Limits = Limits()
    retrieval: Retrieval | None = None
    """Makes files searchable. Without it vector stores have no search."""
    tools: Sequence[Tool] = ()
    """The tools that the server runs itself, each of another kind."""
    embeddings: Embeddings | None = None
    """Embeds texts. Without it there is no search in files."""
    observer: Observer = Unobserved()
    """Receives events for metrics."""
    outbound: Outbound | None = None
    """Sends webhooks. Without it there are none."""
    secret: Callable[[], bytes] | None = None
    """The server's own key, for signing; the same in all its processes."""
    turn_budget: TurnBudget = field(default_factory=TurnBudget)
    """How many runs go on in one turn of the event loop."""
    reader_budget: TurnBudget = field(default_factory=TurnBudget)
    """How many readers of events do."""
    page_permits: PagePermits = field(default_factory=PagePermits)
    """How many readers of events hold a page of the store at once."""
    random: RandomBlocks = field(default_factory=RandomBlocks)
    """The random part of new ids."""

    def ingest(self, due: bool = True) -> None:
        """Look for due files now. Without this, and in other processes, they are looked for once a second."""
        if due and self.retrieval is not None:
            self.retrieval.wake()

    def now(self) -> int:
        """Unix time in whole seconds, as the wire has it."""
        return int(self.clock.time())

    def new_id(self, prefix: str) -> str:
        """A new id of a kind: `run`, `msg`, …"""
        return ids.make(prefix, int(self.clock.time() * 1000), self.random.next())
