"""The port of the store: transactions over collections of the wire's own objects.

A transaction is a coroutine function `work(tx)`. It awaits nothing but the methods of its `Tx`, decides with plain
functions, and may be run again when another writer was first, so it has no effects of its own. Everything it did is
committed, or nothing is.

Every list is ordered by position: a number that the store gives each object when it is inserted, greater than those of
all objects that were committed to the same list before. `created_at` is shown, and decides no order.

Several processes may write to one store. What a work in `write` read with `get` or `load` is still so when it writes;
anything else that it decides by must be guarded by a lock, in this order:

1. The thread, by `threads.get` or `runs.opening`, before the work adds messages or runs to it, or removes them.
2. The run, by `runs.load`, `runs.get` or `runs.apply`, before it writes what belongs to the run (steps, messages).
3. The limit of the project, by `runs.below_limit` or `runs.next_claimable`.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from runstead.store.port.assistants import Assistants
from runstead.store.port.deletions import Deletions
from runstead.store.port.events import Events
from runstead.store.port.files import Files
from runstead.store.port.idempotency import Idempotency
from runstead.store.port.lane import Lane
from runstead.store.port.ledger import Ledger
from runstead.store.port.messages import Messages
from runstead.store.port.projects import Projects
from runstead.store.port.runs import Runs
from runstead.store.port.steps import Steps
from runstead.store.port.threads import Threads
from runstead.store.port.vector_stores import FileBatches, StoreFiles, VectorStores
from runstead.store.port.webhooks import Webhooks
from runstead.store.port.workers import Workers

__all__ = ["Presence", "Store", "Tx"]

T = TypeVar("T")


class Tx(Protocol):
    """One transaction."""

    @property
    def assistants(self) -> Assistants: ...
    @property
    def projects(self) -> Projects: ...
    @property
    def threads(self) -> Threads: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def steps(self) -> Steps: ...
    @property
    def events(self) -> Events: ...
    @property
    def files(self) -> Files: ...
    @property
    def vector_stores(self) -> VectorStores: ...
    @property
    def store_files(self) -> StoreFiles: ...
    @property
    def file_batches(self) -> FileBatches: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def idempotency(self) -> Idempotency: ...
    @property
    def deletions(self) -> Deletions: ...
    @property
    def ledger(self) -> Ledger: ...


class Presence(Protocol):
    """The connection of a worker's heartbeats. It waits behind no other transaction of the process."""

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a transaction of one statement that writes. Raises as `Store.write`."""
        ...


class Store(Protocol):
    """A database. What it has committed is the truth."""

    @property
    def shared(self) -> bool:
        """Other processes may use it at the same time."""
        ...

    async def start(self) -> None:
        """Open, become the sole owner where the store has one, and migrate. Raises `RunsteadError`."""
        ...

    async def stop(self) -> None:
        """Commit waiting writes, within a few seconds, and close. A write that is not committed by then fails."""
        ...

    async def check(self) -> None:
        """Read, and commit a write that changes nothing. Raises `RunsteadError` when the store cannot."""
        ...

    def presence(self, worker: str) -> AbstractAsyncContextManager[Presence]:
        """While inside, the worker is seen to live; a shared store notices soon when its process is dead.

        To be entered before `Workers.register`.
        """
        ...

    async def read(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        """Run a transaction that only reads; it sees one consistent state, and only what is committed.

        `single`: the work is expected to make one statement, which needs no transaction around it. A work that makes
        more after all is run again, in one.
        """
        ...

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        """Run a transaction; when this returns, its writes are on disk. An exception of the work undoes it.

        `single`: the work makes one call that writes (`insert` or `apply`) and no other, so the database may commit it
        by itself.

        `Unreachable` when the store is away, full or overloaded: nothing was written, and a later try may succeed.
        `Unconfirmed`, a kind of it, when it is unknown whether it was written. Any other `RunsteadError` is no outage.
        """
        ...
