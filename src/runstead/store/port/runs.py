"""The port of runs."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from runstead.domain.run.deadline import deadline
from runstead.wire.event import RawEvent
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Run

__all__ = ["NoRoom", "RunRow", "Runs", "Stale", "ThreadBusy"]


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
    predecessor: str | None = None
    """The run of the same thread that must end before this one is ready; None when it has its turn."""
    ready_at: int = 0
    """Unix time before which nobody takes it."""
    delays: int = 0
    """How often in a row it was delayed."""

    def overdue(self, now: int) -> bool:
        """The run's time is up."""
        end = deadline(self.run)
        return end is not None and end <= now


class Runs(Protocol):
    """The runs of all threads. A run changes through `move` alone."""

    async def insert(
        self,
        project: str,
        run: Run,
        events: Sequence[RawEvent],
        owner: str | None = None,
        predecessor: str | None = None,
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
    async def queue_head(self, project: str, thread_id: str) -> RunRow | None:
        """The run that is active, as a row. In `write`, with the thread held, it is held. The same for the others in
        line: the runs of the thread that have not ended, each behind the one before.
        """
        ...

    async def queue_successor(self, run_id: str) -> RunRow | None:
        """The run that waits behind this one."""
        ...

    async def queue_tail(self, project: str, thread_id: str) -> RunRow | None:
        """The run that nobody waits behind."""
        ...

    async def insert_after(self, run_id: str, ahead: str) -> None:
        """Who waits behind `ahead` waits behind this run instead, which is about to wait there, with what it brought.

        The thread and the run `ahead` must be held.
        """
        ...

    async def has_waiting(self, run_id: str) -> bool:
        """Whether a run or a message waits behind this one. Once it has ended, nobody comes to do so any more."""
        ...

    async def promote_next(self, ended: RunRow) -> RunRow | None:
        """A run has ended: the run that waited behind it has its turn, or waits behind what that one waited for.

        The run that has its turn now, if there is one.
        """
        ...

    async def below_limit(self, project: str, most: int, now: int) -> bool:
        """Whether one more run of the project may be taken before those that wait: fewer than `most` are in progress
        or cancelling, and none is ready.

        In `write` it stays so until the transaction ends: of those who ask for a project, one at a time is answered.
        """
        ...

    async def queue_length_reached(self, project: str, most: int) -> bool:
        """Whether at least `most` runs of the project wait: for a worker, for their time, or for their turn."""
        ...

    async def next_claimable(self, run_id: str, most: int | None, now: int) -> RunRow | None:
        """The run that a worker may take when it hears of this one: of its project the oldest that is ready at `now`.
        None if nobody is; `NoRoom` while `most` of the project are in progress or cancelling.

        In `write` it is held, and so is the project, as by `room`. One that somebody else holds is passed over.
        """
        ...

    async def claimable(self, most: int | None, now: int, limit: int) -> list[str]:
        """Ids of runs that a worker may take at `now`: the oldest of each project, as many as make `most` with those in
        progress; first those of the projects that have the fewest in progress.
        """
        ...

    async def orphans(self, limit: int) -> list[tuple[str, str]]:
        """Runs in progress or cancelling whose owner is not among the workers any more: id and owner."""
        ...

    async def owned_by(self, owner: str) -> list[str]:
        """Ids of all runs in progress or cancelling that this worker holds."""
        ...

    async def to_stop(self, owner: str, now: int, limit: int) -> list[str]:
        """Ids of runs that this worker holds and must stop: cancelled ones, and those overdue at `now`."""
        ...

    async def overdue(self, now: int, limit: int) -> list[str]:
        """Ids of runs that have not ended and whose deadline is not after `now`, most overdue first."""
        ...

    async def next_deadline(self) -> int | None:
        """The earliest deadline of all runs that have not ended."""
        ...
