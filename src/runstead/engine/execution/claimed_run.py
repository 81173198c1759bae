"""A claimed run: its journal in memory, and the writes that only its owner may make."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from runstead.domain.chat.assembly import CallsDraft, MessageDraft
from runstead.domain.run import transitions
from runstead.domain.run.change import Change
from runstead.domain.run.journal import OpenWork
from runstead.domain.run.lifecycle import Refused, Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed, numbered, publish, write
from runstead.engine.execution.journal import Journal, read_journal
from runstead.store.port import Claimable, RunRow, Stale, Tx
from runstead.wire.event import EventName, Position, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import LastError, Run, Status

__all__ = ["ClaimedRun", "Interrupted", "claim"]

_PAGE = 500

Decide: TypeAlias = Callable[[Run], Change]
"""The change that is to be written, decided on the run as it stands then. It may be called again, on a newer run."""

Write: TypeAlias = Callable[[Tx], Awaitable[tuple[Committed, Change]]]


class Interrupted(Exception):
    """The run was cancelled, or has another owner: look at it again."""


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
        self.journal = Journal()
        """The journal of the run. Before `is_read` it has only the entries written here."""
        self.is_read = new
        """Whether the journal is as the store has it. That of a run that is `new`, never claimed before, is empty."""
        self.limited = limited
        """Whether other runs of the project may wait for the end of this one."""
        self._deltas = 0

    @property
    def run(self) -> Run:
        """The run as it was last written or read."""
        return self.row.run

    @property
    def opened(self) -> OpenWork:
        """The open step and the open message, with its text so far."""
        opened = self.journal.opened
        return OpenWork(opened.row, self._written(opened.message))

    @property
    def at_work(self) -> bool:
        """Whether the run goes on here: it has neither ended nor paused."""
        return self.run.status is Status.IN_PROGRESS

    def read(self, journal: Journal) -> None:
        """The store has this journal now."""
        # Messages of finished steps are known for good: they need not be read again.
        journal.messages = {**self.journal.messages, **journal.messages}
        self.journal, self.is_read = journal, True

    async def commit(self, decide: Decide) -> None:
        """Write what `decide` makes of the run. The run stays owned while it works.

        Others may write the same run: its metadata, or a cancel. Then it is read and decided again, in the transaction
        that writes, so that no other writer can be first for ever. `Interrupted` when the change no longer fits what
        the run has become.
        """
        known = self.row.seq

        async def once(tx: Tx) -> tuple[Committed, Change]:
            change = decide(self.run)
            return await write(tx, self.row, change, self.adapters.now()), change

        async def again(tx: Tx) -> tuple[Committed, Change]:
            self._know(*await self._load(tx))
            # Since this owner's last event the run may have been asked to stop. Any other event means that it was
            # recovered, and claimed again by the same name.
            stopping = self.run.status is Status.CANCELLING
            if self.row.seq != known + stopping:
                raise Interrupted
            written = await once(tx)
            if written[1].run.status is Status.CANCELLING:
                raise Interrupted
            return written

        await self._commit(once, again, single=True)

    async def _commit(self, once: Write, again: Write, *, single: bool = False) -> None:
        try:
            written, change = await self._write(once, again, single=single)
        except Refused as refused:
            raise Interrupted from refused
        self._moved(written.row)
        self.journal.apply(change)
        if change.events:
            await publish(self.adapters, written)

    async def _write(self, once: Write, again: Write, *, single: bool = False) -> tuple[Committed, Change]:
        try:
            return await self.adapters.store.write(once, single=single)
        except Stale:
            return await self._write(again, again)

    async def emit(self, name: EventName, deltas: Sequence[bytes]) -> None:
        """Publish deltas to the followers of the run; deltas are not stored."""
        seq, before = self.row.seq, self._deltas
        self._deltas += len(deltas)
        events = [RawEvent(Position(seq, before + n), name, data) for n, data in enumerate(deltas, 1)]
        await self.adapters.broker.publish(self.run.id, events)

    async def reload(self) -> None:
        """Read the run and its journal again; `Interrupted` if the run is gone or has another owner."""
        self._know(*await self.adapters.store.read(self._load))

    async def _load(self, tx: Tx) -> tuple[RunRow, Journal]:
        row = await tx.runs.load(self.run.id)
        if row is None or row.owner != self.owner:
            raise Interrupted
        return row, await read_journal(tx, row)

    def _know(self, row: RunRow, journal: Journal) -> None:
        self.read(journal)
        self._moved(row)

    def _moved(self, row: RunRow) -> None:
        if row.seq != self.row.seq:
            # Deltas are numbered after the last stored event; those behind an older one would be taken for repeated.
            self._deltas = 0
        self.row = row

    async def end(self, signal: Callable[[Run], Signal], error: LastError | None = None) -> None:
        """Stop the run where it is, by the `signal` that it needs as it stands then: what it has half written is kept,
        and closed for what it is.
        """
        await self._let_go(
            lambda run: transitions.end(run, signal(run), self.opened, self.adapters.now(), self.journal.spent, error)
        )

    async def delay(self, cause: LastError, until: int) -> None:
        """Release the run, for any worker to go on with it at a later time."""
        await self._let_go(
            lambda run: transitions.delay(run, self.opened, self.adapters.now(), self.journal.spent, cause, until)
        )

    async def _let_go(self, decide: Decide) -> None:
        """Write the last change, based on the stored run: an interrupted write of this worker may have opened a step.

        The run is read in the same transaction, so an earlier write has either happened by then, or never will.
        """

        async def once(tx: Tx) -> tuple[Committed, Change]:
            self._know(*await self._load(tx))
            change = decide(self.run)
            return await write(tx, self.row, change, self.adapters.now()), change

        await self._commit(once, once)

    async def publish_missed(self) -> None:
        """Publish the stored events after an interrupted write, or after a write of another process."""
        published = self.row.seq

        async def work(tx: Tx) -> tuple[bool, Sequence[RawEvent]]:
            return await tx.runs.load(self.run.id) is None, await tx.events.after(self.run.id, published, _PAGE)

        deleted, events = await self.adapters.store.read(work)
        if deleted and not self.run.status.terminal:
            # The run was deleted with its thread. Its followers get an end, which is not stored.
            change = transitions.stop(self.run, OpenWork(), self.journal.spent, self.adapters.now())
            events = numbered(change.events, published + len(change.events))
        await self.adapters.broker.publish(self.run.id, events)

    def lose(self) -> None:
        """Stop writing: the run has another owner, perhaps with the same name."""
        self.owner = ""

    def _written(self, message: Message | None) -> Message | None:
        """The open message with its text so far."""
        if message is None or self.message is None or self.message.message_id != message.id:
            return message
        return replace(message, content=self.message.content())


async def claim(adapters: Adapters, run_id: str, owner: str) -> ClaimedRun | None:
    """Claim the offered run, or another run of its project that has waited longer.

    None if no run waits. `NoRoom` if the project has as many executing runs as it may have.
    """
    found: Claimable | None = None

    async def work(tx: Tx) -> Committed | None:
        nonlocal found
        found = await tx.runs.next_claimable(run_id, adapters.limits.max_running, adapters.now())
        if found is None:
            return None
        # The time is read again: the database may have kept this waiting for the end of the run before.
        now = adapters.now()
        return await write(tx, found.row, transitions.claim(found.row.run, now, owner), now)

    claimed = await adapters.store.write(work)
    if claimed is None or found is None:
        return None
    await publish(adapters, claimed)
    return ClaimedRun(adapters, claimed.row, owner, new=found.row.run.started_at is None, limited=found.limited)
