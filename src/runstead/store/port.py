"""The port of the store: transactions over collections of the wire's own objects.

A transaction is a coroutine function `work(tx)`. It awaits nothing but the methods of its `Tx`, decides with plain
functions, and may be run again when another writer was first, so it has no effects of its own. Everything it did is
committed, or nothing is.

Several processes may write to one store. What a work in `write` read with `get` or `load` is then still so when it
writes; for anything else that it decides by, it must hold what guards it, in this order:

1. The thread, by `threads.get`, before it adds to a thread or takes from it (messages, runs): two works that got the
   same thread come one after the other.
2. The run, by `runs.load`, `runs.get` or `runs.move`, before it writes what belongs to the run (steps, messages).
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from msgspec import Struct

from runstead.domain.deadline import deadline
from runstead.domain.record import Leaf
from runstead.store.outbox import Attempt, Note, WebhookRow, Webhooks
from runstead.store.repeats import Answers, Kept
from runstead.wire.assistant import Assistant
from runstead.wire.event import RawEvent
from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep
from runstead.wire.thread import Thread

__all__ = [
    "Answers",
    "Assistants",
    "Attempt",
    "Events",
    "Kept",
    "Ledger",
    "Messages",
    "NoRoom",
    "Note",
    "RunRow",
    "Runs",
    "Stale",
    "Steps",
    "Store",
    "ThreadBusy",
    "Threads",
    "Tx",
    "WebhookRow",
    "Webhooks",
    "Workers",
]

T = TypeVar("T")


class Stale(Exception):
    """Someone moved the run first: read again, decide again."""


class ThreadBusy(Exception):
    """The thread has an active run already."""


class NoRoom(Exception):
    """The project has as many runs at work as it may."""

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self.project = project


class RunRow(Struct, frozen=True, kw_only=True):
    """A run with what only the engine knows of it."""

    run: Run
    project: str
    version: int
    """Grows with every write; the guard and the fence of all that follows."""
    seq: int
    """The number of the run's last stored event."""
    owner: str | None = None
    """The worker that holds the run, as `move` was told; None when nobody does."""
    behind: str | None = None
    """The run of the same thread that must end before this one is ready; None when it has its turn."""
    ready_at: int = 0
    """Unix time before which nobody takes it."""
    delays: int = 0
    """How often in a row it was delayed."""

    def overdue(self, now: int) -> bool:
        """The run's time is up."""
        end = deadline(self.run)
        return end is not None and end <= now


class Assistants(Protocol):
    """The assistants of all projects. `get` is None, `replace` and `delete` are False, when there is no such row."""

    async def get(self, project: str, assistant_id: str) -> Assistant | None: ...
    async def insert(self, project: str, assistant: Assistant) -> None: ...
    async def replace(self, project: str, assistant: Assistant) -> bool: ...
    async def delete(self, project: str, assistant_id: str) -> bool: ...
    async def page(self, project: str, query: ListQuery) -> Page[Assistant] | None:
        """A page; None when the query's cursor is unknown. The same for every `page` below."""
        ...


class Threads(Protocol):
    """The threads of all projects."""

    async def get(self, project: str, thread_id: str) -> Thread | None:
        """The thread. In `write` it is held until the transaction ends: nobody else gets it there, or deletes it."""
        ...

    async def insert(self, project: str, thread: Thread) -> None: ...
    async def replace(self, project: str, thread: Thread) -> bool: ...
    async def delete(self, project: str, thread_id: str) -> bool:
        """Remove the thread with its messages, runs, steps and events."""
        ...

    async def page(self, project: str, query: ListQuery) -> Page[Thread] | None: ...


class Messages(Protocol):
    """The messages of all threads, each after the one inserted before."""

    async def get(self, project: str, thread_id: str, message_id: str) -> Message | None: ...
    async def insert(
        self, project: str, messages: Sequence[Message], behind: str | None = None, brought_by: str | None = None
    ) -> None:
        """Add messages. Those `behind` a run join the thread when it has ended: till then `newest` does not know them,
        and they stand at the end of every page. Those `brought_by` a run wait where it waits.
        """
        ...

    async def join(self, ended: RunRow) -> None:
        """A run has ended, and was released: those behind it join the thread, behind all that joined before, or wait
        behind what it waited for.
        """
        ...

    async def replace(self, project: str, message: Message) -> bool: ...
    async def delete(self, project: str, thread_id: str, message_id: str) -> bool: ...
    async def page(
        self, project: str, thread_id: str, query: ListQuery, run_id: str | None = None
    ) -> Page[Message] | None: ...
    async def newest(self, project: str, thread_id: str, limit: int, before: str | None = None) -> list[Message]:
        """Up to `limit` messages, newest first; those older than message `before` if given. For building prompts."""
        ...


class Runs(Protocol):
    """The runs of all threads. A run changes through `move` alone."""

    async def insert(
        self,
        project: str,
        run: Run,
        events: Sequence[RawEvent],
        owner: str | None = None,
        behind: str | None = None,
    ) -> RunRow:
        """Add a run with its first events; `ThreadBusy` while the thread has an active one (a fact of the database).

        `owner` is the worker that holds it from its first moment on. One that waits `behind` another is not active.

        Events are numbered on from the row's `seq` by the store: what `at` they carry does not matter. The same in
        `move`.
        """
        ...

    async def get(self, project: str, thread_id: str, run_id: str) -> RunRow | None:
        """The run. In `write` it is held until the transaction ends: nobody else moves it. The same for `load`."""
        ...

    async def load(self, run_id: str) -> RunRow | None:
        """The run of this id, of any project: for workers."""
        ...

    async def move(
        self, row: RunRow, run: Run, events: Sequence[RawEvent], owner: str | None = None, ready_at: int = 0
    ) -> RunRow:
        """Write the run's next state and its events; `Stale` when `row.version` is no longer the newest.

        `owner` is the worker that holds the run from now on; None when nobody does. `ready_at` delays it. A run that
        waits behind another goes on waiting.
        """
        ...

    async def active(self, project: str, thread_id: str) -> Run | None:
        """The thread's run that has not ended, if there is one."""
        ...

    async def page(self, project: str, thread_id: str, query: ListQuery) -> Page[Run] | None: ...
    async def first_in_line(self, project: str, thread_id: str) -> RunRow | None:
        """The run that is active, as a row. In `write`, with the thread held, it is held. The same for the others in
        line: the runs of the thread that have not ended, each behind the one before.
        """
        ...

    async def next_in_line(self, run_id: str) -> RunRow | None:
        """The run that waits behind this one."""
        ...

    async def last_in_line(self, project: str, thread_id: str) -> RunRow | None:
        """The run that nobody waits behind."""
        ...

    async def overtake(self, run_id: str, ahead: str) -> None:
        """Who waits behind `ahead` waits behind this run instead, which is about to wait there, with what it brought.

        The thread and the run `ahead` must be held.
        """
        ...

    async def followed(self, run_id: str) -> bool:
        """Whether a run or a message waits behind this one. Once it has ended, nobody comes to do so any more."""
        ...

    async def release(self, ended: RunRow) -> RunRow | None:
        """A run has ended: the run that waited behind it has its turn, or waits behind what that one waited for.

        The run that has its turn now, if there is one.
        """
        ...

    async def room(self, project: str, most: int, now: int) -> bool:
        """Whether one more run of the project may be taken before those that wait: fewer than `most` are in progress
        or cancelling, and none is ready.

        In `write` it stays so until the transaction ends: of those who ask for a project, one at a time is answered.
        """
        ...

    async def crowded(self, project: str, most: int) -> bool:
        """Whether at least `most` runs of the project wait: for a worker, for their time, or for their turn."""
        ...

    async def turn(self, run_id: str, most: int | None, now: int) -> RunRow | None:
        """The run that a worker may take when it hears of this one: of its project the oldest that is ready at `now`.
        None if nobody is; `NoRoom` while `most` of the project are in progress or cancelling.

        In `write` it is held, and so is the project, as by `room`. One that somebody else holds is passed over.
        """
        ...

    async def ready(self, most: int | None, now: int, limit: int) -> list[str]:
        """Ids of runs that a worker may take at `now`: the oldest of each project, as many as make `most` with those in
        progress; first those of the projects that have the fewest in progress.
        """
        ...

    async def orphans(self, limit: int) -> list[tuple[str, str]]:
        """Runs in progress or cancelling whose owner is not among the workers any more: id and owner."""
        ...

    async def held(self, owner: str) -> list[str]:
        """Ids of all runs in progress or cancelling that this worker holds."""
        ...

    async def stopping(self, owner: str, now: int, limit: int) -> list[str]:
        """Ids of runs that this worker holds and must stop: cancelled ones, and those overdue at `now`."""
        ...

    async def overdue(self, now: int, limit: int) -> list[str]:
        """Ids of runs that have not ended and whose deadline is not after `now`, most overdue first."""
        ...

    async def next_deadline(self) -> int | None:
        """The earliest deadline of all runs that have not ended."""
        ...


class Steps(Protocol):
    """The steps of all runs, each after the one inserted before."""

    async def get(self, project: str, run_id: str, step_id: str) -> RunStep | None: ...
    async def insert(self, project: str, step: RunStep) -> None: ...
    async def replace(self, project: str, step: RunStep) -> bool: ...
    async def page(self, project: str, run_id: str, query: ListQuery) -> Page[RunStep] | None: ...
    async def of_run(self, run_id: str) -> list[RunStep]:
        """All steps of a run, oldest first: its journal."""
        ...


class Events(Protocol):
    """The stored events of all runs."""

    async def after(self, run_id: str, seq: int, limit: int) -> list[RawEvent]:
        """Up to about `limit` events numbered above `seq`, in order; whole transactions, so it may be a few more."""
        ...


class Workers(Protocol):
    """The workers that live. Whoever is not among them is gone, and its runs may be taken."""

    async def enter(self, name: str, lease: float) -> None:
        """A worker begins. Of its lease, in seconds, the store's own clock knows."""
        ...

    async def renew(self, name: str, lease: float) -> bool:
        """It lives, and goes on for a lease from now. False when it was given up meanwhile."""
        ...

    async def leave(self, name: str) -> None:
        """It has handed back what it held, or is given up: from now on its runs may be taken, and it takes none."""
        ...

    async def absent(self, observer: str) -> list[str]:
        """Those whose lease is over, or whose process is seen to be gone; in `write` they are held.

        Nobody, as long as the `observer` cannot tell: when the database has just come back, or it came back to it, all
        look as if they were gone.
        """
        ...


class Ledger(Protocol):
    """Everything that is kept of runs, of all projects: to check it."""

    async def leaf(self, after: str, limit: int) -> Leaf:
        """The runs with ids above `after`, up to `limit` of them, and all that is kept up to the last one's id."""
        ...


class Tx(Protocol):
    """One transaction."""

    @property
    def assistants(self) -> Assistants: ...
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
    def workers(self) -> Workers: ...
    @property
    def webhooks(self) -> Webhooks: ...
    @property
    def answers(self) -> Answers: ...
    @property
    def ledger(self) -> Ledger: ...


class Store(Protocol):
    """The truth."""

    @property
    def shared(self) -> bool:
        """Other processes may use it at the same time."""
        ...

    async def start(self) -> None:
        """Open, take sole ownership where the store has one, and migrate. Raises `RunsteadError` in words."""
        ...

    async def stop(self) -> None:
        """Commit what waits, and close."""
        ...

    def present(self, worker: str) -> AbstractAsyncContextManager[None]:
        """While inside, the worker is seen to live; a shared store sees soon when its process is gone.

        To be entered before `Workers.enter`.
        """
        ...

    async def read(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a transaction that only reads; it sees one consistent state, and only what is committed."""
        ...

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run a transaction; when this returns, what it did is on disk. An exception of the work undoes it.

        `RunsteadError` in words when the store cannot: then nothing was written, or the words say that nobody knows.
        """
        ...
