"""A claimed run: its journal in memory, and the writes that only its owner may make.

Every write names the version of the run that its change is based on:

```
commit ──▶ decide(run in memory) ──▶ write ──▶ publish
                                      │ Stale: another writer was first (new metadata, a cancel, a recovery)
                                      ▼
                      read the run in the same transaction ──▶ decide again ──▶ write
                                      │ recovered, cancelled, or deleted
                                      ▼
                                  Interrupted
```
While the store is away, full or overloaded, its reads and writes are tried again for as long as it takes: an answer of
the model is kept until it is written, or another worker has the run. The version decides which, not a lease.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

from msgspec.structs import replace

from runstead.domain.chat.assembly import CallsDraft, MessageDraft
from runstead.domain.run import transitions
from runstead.domain.run.change import Change
from runstead.domain.run.journal import OpenWork
from runstead.domain.run.lifecycle import Refused, Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed, numbered, publish, write
from runstead.engine.execution.journal import Journal, read_journal
from runstead.store.port import Claimable, Lane, RunRow, Stale, Tx
from runstead.wire.error import Unconfirmed, Unreachable
from runstead.wire.event import EventName, Position, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import LastError, Run, Status

__all__ = ["ClaimedRun", "Interrupted", "claim"]

T = TypeVar("T")

_PAGE = 500
_FIRST_PAUSE = 0.05
_MAX_PAUSE = 5.0
"""Seconds, about, between two tries while the store is away. Thousands of runs may be waiting for it."""

Decide: TypeAlias = Callable[[Run], Change]
"""Makes the change to write from the run as it is stored. It is called again if another writer was first."""

Write: TypeAlias = Callable[[Tx], Awaitable[tuple[Committed, Change]]]


class Interrupted(Exception):
    """The run was cancelled or deleted, or has another owner. Nothing was written."""


class ClaimedRun:
    """One run, owned by one worker."""

    def __init__(
        self, adapters: Adapters, row: RunRow, owner: str, *, new: bool = False, limited: bool = False
    ) -> None:
        self.adapters = adapters
        self.row = row
        self.owner = owner
        self.message: MessageDraft | None = None
        """The text of the open message so far."""
        self.calls: CallsDraft | None = None
        """The tool calls of the open step so far."""
        self.journal = Journal(complete=new)
        """The journal of the run. Before `is_read` it has only the entries written here."""
        self.is_read = new
        """Whether the journal equals the stored one. That of a `new` run, claimed for the first time, is empty."""
        self.limited = limited
        """Whether the project has a concurrency limit, so that other runs may be queued until this one ends."""
        self._deltas = 0
        self._decided: Change | None = None
        """The change of the last attempt to write."""
        self._unconfirmed: Change | None = None
        """A change for which the store raised `Unconfirmed`."""

    @property
    def run(self) -> Run:
        """The run as it was last written or read."""
        return self.row.run

    @property
    def open_work(self) -> OpenWork:
        """The open step and the open message, with its text so far."""
        stored = self.journal.open_work
        return OpenWork(stored.row, self._with_text(stored.message))

    @property
    def in_progress(self) -> bool:
        """Whether the run is still executed here: it has neither ended nor paused, and is not being cancelled."""
        return self.run.status is Status.IN_PROGRESS

    def recall(self, journal: Journal | None) -> None:
        """Start from the journal that this worker kept when the run paused. Later changes are still to be read."""
        if journal is not None and not self.is_read:
            self.journal = journal

    def read(self, journal: Journal) -> None:
        """Replace the journal in memory with the stored one."""
        self.journal, self.is_read = journal, True

    async def commit(self, decide: Decide) -> None:
        """Write the change that `decide` makes of the run, and publish its events.

        If another writer was first (new metadata, or a cancel), the run is read in the transaction that writes, and
        `decide` is called again. So the second attempt cannot be stale. `Interrupted` if the run was cancelled,
        recovered or deleted meanwhile.
        """
        known = self.row.seq
        self._unconfirmed = None

        async def first(tx: Tx) -> tuple[Committed, Change]:
            change = self._decided = decide(self.run)
            return await write(tx, self.row, change, self.adapters.now()), change

        async def retry(tx: Tx) -> tuple[Committed, Change]:
            found = await self._find_unconfirmed(tx)
            if found is not None:
                return found
            self._set(*await self._load(tx))
            # The only event that another writer adds to an owned run is its cancel. Any other event means that the
            # run was recovered, and claimed again under the same owner name.
            stopping = self.run.status is Status.CANCELLING
            if self.row.seq != known + stopping:
                raise Interrupted
            written = await first(tx)
            if written[1].run.status is Status.CANCELLING:
                raise Interrupted
            return written

        await self._commit(first, retry, single=True)

    async def _commit(self, first: Write, retry: Write, *, single: bool = False) -> None:
        try:
            written, change = await self._write(first, retry, single=single)
        except Refused as refused:
            raise Interrupted from refused
        self._set_row(written.row)
        self.journal.apply(change)
        if change.events:
            await publish(self.adapters, written)

    async def _write(self, first: Write, retry: Write, *, single: bool = False) -> tuple[Committed, Change]:
        attempt, pauses = first, _pauses()
        while True:
            try:
                return await self.adapters.store.write(attempt, single=single, lane=self._lane)
            except Stale:
                attempt, single = retry, False
            except Unreachable as cause:
                if isinstance(cause, Unconfirmed):
                    self._unconfirmed = self._decided
                await self.adapters.clock.sleep(next(pauses))

    async def _find_unconfirmed(self, tx: Tx) -> tuple[Committed, Change] | None:
        """The unconfirmed change, if it was committed after all and is still the last one."""
        change = self._unconfirmed
        if change is None:
            return None
        row = await tx.runs.load(self.run.id)
        if row is None or row.version != self.row.version + 1 or row.run != change.run:
            return None
        return Committed(row, change.events), change

    async def read_store(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False) -> T:
        """Read what the run needs, however long the store takes."""
        return await self.patiently(lambda: self.adapters.store.read(work, single=single, lane=self._lane))

    async def patiently(self, read: Callable[[], Awaitable[T]]) -> T:
        """Read, and retry while the store or the blobs are unreachable."""
        pauses = _pauses()
        while True:
            try:
                return await read()
            except Unreachable:
                await self.adapters.clock.sleep(next(pauses))

    @property
    def _lane(self) -> Lane:
        """A run with an open step is finished before others open theirs."""
        return Lane.RUN if self.journal.open_work.row is None else Lane.CLOSING

    async def emit(self, name: EventName, deltas: Sequence[bytes]) -> None:
        """Publish deltas to the run's followers. Deltas are not stored."""
        seq, before = self.row.seq, self._deltas
        self._deltas += len(deltas)
        events = [RawEvent(Position(seq, before + n), name, data) for n, data in enumerate(deltas, 1)]
        await self.adapters.broker.publish(self.run.id, events)

    async def reload(self) -> None:
        """Read the run and its journal again. `Interrupted` if the run was deleted or has another owner."""
        self._set(*await self.read_store(self._load))

    async def _load(self, tx: Tx) -> tuple[RunRow, Journal]:
        row = await tx.runs.load(self.run.id)
        if row is None or row.owner != self.owner:
            raise Interrupted
        return row, await read_journal(tx, row, self.journal)

    def _set(self, row: RunRow, journal: Journal) -> None:
        self.read(journal)
        self._set_row(row)

    def _set_row(self, row: RunRow) -> None:
        if row.seq != self.row.seq:
            # Deltas are numbered after the last stored event: each stored event starts a new count.
            self._deltas = 0
        self.row = row

    async def end(self, signal: Callable[[Run], Signal], error: LastError | None = None) -> None:
        """End the run before it is complete, by the `signal` that fits the stored run.

        The open message keeps its text so far and is closed as incomplete; the open step is closed too.
        """
        await self._commit_last(
            lambda run: transitions.end(
                run, signal(run), self.open_work, self.adapters.now(), self.journal.spent, error
            )
        )

    async def delay(self, cause: LastError, until: int) -> None:
        """Release the run: it is queued, and any worker may claim it from `until` on (unix seconds)."""
        await self._commit_last(
            lambda run: transitions.delay(run, self.open_work, self.adapters.now(), self.journal.spent, cause, until)
        )

    async def _commit_last(self, decide: Decide) -> None:
        """Write the owner's last change. It is based on the stored run, which is read in the same transaction.

        An earlier write that was interrupted may have opened a step: it is either committed by then, or never will be.
        """

        async def work(tx: Tx) -> tuple[Committed, Change]:
            self._set(*await self._load(tx))
            change = decide(self.run)
            return await write(tx, self.row, change, self.adapters.now()), change

        await self._commit(work, work)

    async def publish_missed(self) -> None:
        """Publish stored events that were not published, because a write was interrupted or made by another process."""
        published = self.row.seq

        async def work(tx: Tx) -> tuple[bool, Sequence[RawEvent]]:
            return await tx.runs.load(self.run.id) is None, await tx.events.after(self.run.id, published, _PAGE)

        deleted, events = await self.read_store(work)
        if deleted and not self.run.status.terminal:
            # The run was deleted with its thread. Its followers receive a cancelled event, which is not stored.
            change = transitions.stop(self.run, OpenWork(), self.journal.spent, self.adapters.now())
            events = numbered(change.events, published + len(change.events))
        await self.adapters.broker.publish(self.run.id, events)

    def disown(self) -> None:
        """Refuse all further writes: the run has another owner, perhaps with the same name."""
        self.owner = ""

    def _with_text(self, message: Message | None) -> Message | None:
        """The stored open message with the text that was streamed so far."""
        if message is None or self.message is None or self.message.message_id != message.id:
            return message
        return replace(message, content=self.message.content())


async def claim(adapters: Adapters, run_id: str, owner: str) -> ClaimedRun | None:
    """Claim the offered run, or an older queued run of its project, and publish the claim.

    None if no run of the project is queued. `NoRoom` if the project is at its concurrency limit.
    """
    found: Claimable | None = None

    async def work(tx: Tx) -> Committed | None:
        nonlocal found
        found = await tx.runs.next_claimable(run_id, adapters.limits.max_running, adapters.now())
        if found is None:
            return None
        # The time is read again: the query may have waited for a lock until the run before it had ended.
        now = adapters.now()
        return await write(tx, found.row, transitions.claim(found.row.run, now, owner), now)

    claimed = await adapters.store.write(work, lane=Lane.RUN)
    if claimed is None or found is None:
        return None
    await publish(adapters, claimed)
    return ClaimedRun(adapters, claimed.row, owner, new=found.row.run.started_at is None, limited=found.limited)


def _pauses() -> Iterator[float]:
    """Seconds between tries: longer and longer, and spread, so that the runs of a worker do not all try at once."""
    pause = _FIRST_PAUSE
    while True:
        yield random.uniform(0.5, 1.5) * pause  # noqa: S311 - not for security
        pause = min(2 * pause, _MAX_PAUSE)
