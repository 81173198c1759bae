"""The adapters of the engine, in one value that is passed to all of its parts."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct, field

from runstead.broker.port import Broker
from runstead.domain import ids
from runstead.engine.limits import Limits
from runstead.engine.observer import Observer, Unobserved
from runstead.llm.port import ChatModel
from runstead.outbound.port import Outbound
from runstead.random_bytes import RandomBlocks
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
    model: ChatModel
    clock: Clock
    limits: Limits = Limits()
    tools: Sequence[Tool] = ()
    """The tools that the server runs itself, each of another kind."""
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
    random: RandomBlocks = field(default_factory=RandomBlocks)
    """The random part of new ids."""

    def now(self) -> int:
        """Unix time in whole seconds, as the wire has it."""
        return int(self.clock.time())

    def new_id(self, prefix: str) -> str:
        """A new id of a kind: `run`, `msg`, …"""
        return ids.make(prefix, int(self.clock.time() * 1000), self.random.next())
