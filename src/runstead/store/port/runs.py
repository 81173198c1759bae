"""The port of runs."""

from typing import Any, NamedTuple, Protocol

from msgspec import UNSET, Struct

from runstead.domain.chosen_defaults import NONE_CHOSEN, ChosenDefaults
from runstead.domain.run.change import Change
from runstead.domain.run.deadline import deadline
from runstead.store.port.assistants import AssistantRow
from runstead.store.port.projects import Limits
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Run, Status
from runstead.wire.thread import Thread

__all__ = ["Applied", "Claimable", "Created", "NoRoom", "Opening", "RunRow", "Runs", "Stale", "ThreadBusy", "Unknown"]

_OWNED = {Status.IN_PROGRESS, Status.CANCELLING}


class Stale(Exception):
    """Another writer changed the run first: read again, decide again."""


class ThreadBusy(Exception):
    """The thread has an active run already."""


class NoRoom(Exception):
    """The project has as many runs at work as it may."""

    def __init__(self, project: str) -> None:
        super().__init__(project)
        self.project = project


class Unknown(NamedTuple):
    """A stored object that a newer version wrote. What is in `stored` and not in `known` is written back as it is."""

    stored: Any
    known: Any
    """The same object as this version writes it."""


class RunRow(Struct, frozen=True, kw_only=True):
    """A run, and the fields that are stored with it but not shown."""

    run: Run
    project: str
    version: int
    """Grows with every change; the guard and the fence of all that follows."""
    seq: int
    """The number of the run's last stored event."""
    owner: str | None = None
    """The worker that claimed the run; None unless it is in progress or cancelling."""
    predecessor: str | None = None
    """The run of the same thread that must end before this one is ready; None when it has its turn."""
    ready_at: int = 0
    """Unix time before which no worker claims it."""
    delays: int = 0
    """How often in a row it was delayed."""
    chosen_defaults: ChosenDefaults = NONE_CHOSEN
    """The options whose default the request or the assistant chose."""
    unknown: Unknown | None = None
    """Fields of the stored run that this version does not know."""

    def after(self, change: Change) -> "RunRow":
        """The row that a change makes of this one. What the change does not say stays as it is."""
        run = change.run
        owner = self.owner if change.owner is UNSET else change.owner
        delays = self.delays
        if run.status.pausing:
            delays = 0  # the run got on: the next delay is a first one
        elif change.ready_at is not UNSET and change.ready_at > 0:
            delays += 1
        return RunRow(
            run=run,
            project=self.project,
            version=self.version + 1,
            seq=self.seq + len(change.events),
            owner=owner if run.status in _OWNED else None,
            predecessor=self.predecessor,
            ready_at=self.ready_at if change.ready_at is UNSET else change.ready_at,
            delays=delays,
            chosen_defaults=self.chosen_defaults if change.chosen_defaults is UNSET else change.chosen_defaults,
            unknown=self.unknown,
        )

    def overdue(self, now: int) -> bool:
        """The run's time is up."""
        end = deadline(self.run)
        return end is not None and end <= now


class Applied(NamedTuple):
    """A run after a change."""

    row: RunRow
    next: RunRow | None = None
    """The run whose turn it is, because this one has ended."""


class Created(NamedTuple):
    """A new run."""

    row: RunRow
    empty_thread: bool
    """No message has joined the thread: the run has nothing to answer."""


class Opening(NamedTuple):
    """The facts that the creation of a run depends on."""

    thread: Thread | None
    assistant: AssistantRow | None
    limits: Limits
    queue_full: bool
    """As many runs of the project wait as may."""


class Claimable(NamedTuple):
    """A run that a worker may claim."""

    row: RunRow
    limited: bool
    """The project has a limit of running runs, so others of it may have to wait for the end of this one."""


class Runs(Protocol):
    """The runs of all threads. A run begins with `create` and changes through `apply` alone."""

    async def opening(self, project: str, thread_id: str | None, assistant_id: str, defaults: Limits) -> Opening:
        """The facts that the creation of a run depends on, in one query.

        In `write` the thread is locked, as by `threads.get`. `defaults` are the limits of a project without its own.
        """
        ...

    async def create(self, project: str, change: Change, predecessor: str | None = None) -> Created:
        """Add a run with its first messages and events; `ThreadBusy` while the thread has an active one (a fact of the
        database).

        A run with a `predecessor` waits behind it, with its messages, and is not active.

        Events are numbered on from the row's `seq` by the store: what `at` they carry does not matter. The same in
        `apply`.
        """
        ...

    async def apply(self, row: RunRow, change: Change, now: int) -> Applied:
        """Write a change whole: the run, its steps, messages and events, and a delivery for every webhook that
        subscribes to one of the events. When the run ends, its successor is promoted, or queued behind the run's
        predecessor.

        `Stale` when `row.version` is not the newest; then nothing is written.
        """
        ...

    async def get(self, project: str, thread_id: str, run_id: str) -> RunRow | None:
        """The run. In `write` it is locked until the transaction ends. The same for `load`."""
        ...

    async def load(self, run_id: str) -> RunRow | None:
        """The run of this id, of any project: for workers."""
        ...

    async def active(self, project: str, thread_id: str) -> Run | None:
        """The thread's run that has not ended, if there is one."""
        ...

    async def page(self, project: str, thread_id: str, query: ListQuery) -> Page[Run] | None: ...
    async def queue_head(self, project: str, thread_id: str) -> RunRow | None:
        """The active run, as a row. In `write`, with the thread locked, it is locked. The same for the others in the
        thread's queue: the runs of the thread that have not ended, each behind the one before.
        """
        ...

    async def queue_successor(self, run_id: str) -> RunRow | None:
        """The run that waits behind this one."""
        ...

    async def queue_tail(self, project: str, thread_id: str) -> RunRow | None:
        """The run that no other run waits behind."""
        ...

    async def insert_after(self, run_id: str, ahead: str) -> None:
        """Everything that waits behind `ahead` waits behind this run instead, which is about to wait there.

        The thread and the run `ahead` must be locked.
        """
        ...

    async def below_limit(self, project: str, most: int, now: int) -> bool:
        """Whether one more run of the project may be claimed before those that wait: fewer than `most` are in progress
        or cancelling, and none is ready.

        In `write` it stays so until the transaction ends: of those that ask for a project, one at a time is answered.
        """
        ...

    async def has_queued(self, project: str) -> bool:
        """Whether a run of the project waits: for a worker, for its time, or for its turn."""
        ...

    async def next_claimable(self, run_id: str, most: int | None, now: int) -> Claimable | None:
        """The run that a worker may claim when it is offered this one: the oldest of its project that is ready at
        `now`. None if there is none; `NoRoom` while as many of the project are in progress or cancelling as may be:
        `most`, if the project does not say.

        In `write` it is locked, and so is the project, as by `below_limit`. A run that is locked is passed over.
        """
        ...

    async def claimable(self, most: int | None, now: int, limit: int) -> list[str]:
        """Ids of runs that a worker may claim at `now`: the oldest of each project, as many as may be in progress with
        those that are, which is `most` if the project does not say; first those of the projects that have the fewest in
        progress.
        """
        ...

    async def orphans(self, limit: int) -> list[tuple[str, str]]:
        """Runs in progress or cancelling whose owner is not a live worker: id and owner."""
        ...

    async def owned_by(self, owner: str) -> list[str]:
        """Ids of all runs in progress or cancelling that this worker owns."""
        ...

    async def to_stop(self, owner: str, now: int, limit: int) -> list[str]:
        """Ids of runs that this worker owns and must stop: cancelled ones, and those overdue at `now`."""
        ...

    async def overdue(self, now: int, limit: int) -> list[str]:
        """Ids of runs that have not ended and whose deadline is not after `now`, most overdue first."""
        ...

    async def next_deadline(self) -> int | None:
        """The earliest deadline of all runs that have not ended."""
        ...
