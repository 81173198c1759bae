"""A claimed run in a worker's hands: what it has half done, and the writes that only its holder may make."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from runstead.domain.chat.assembly import CallsDraft, MessageDraft
from runstead.domain.run import transitions, usage
from runstead.domain.run.change import Change
from runstead.domain.run.lifecycle import Refused, Signal
from runstead.domain.run.transitions import OpenWork
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed, numbered, publish, write
from runstead.engine.execution.open_work import open_work
from runstead.store.port import RunRow, Stale, Tx
from runstead.wire.event import EventName, Position, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import LastError, Run, Status, Usage

__all__ = ["ClaimedRun", "Interrupted", "claim"]

_PAGE = 500


Write: TypeAlias = Callable[[Tx], Awaitable[Committed]]


class Interrupted(Exception):
    """The run was cancelled, or is no longer ours: look at it again."""


class ClaimedRun:
    """One run, held by one worker."""

    def __init__(self, adapters: Adapters, row: RunRow, owner: str) -> None:
        self.adapters = adapters
        self.row = row
        self.owner = owner
        self.opened = OpenWork()
        self.spent = usage.NONE
        self.message: MessageDraft | None = None
        self.calls: CallsDraft | None = None
        self._deltas = 0

    @property
    def run(self) -> Run:
        """The run as it was last written or read."""
        return self.row.run

    async def commit(self, decide: Callable[[Run], Change], *, keep: bool = True) -> None:
        """Write what `decide` makes of the run, and keep holding it, or let it go.

        Someone else may write the same run: its metadata, or a cancel. Then it is read and decided again, in the
        transaction that writes, so that nobody can be first for ever. `Interrupted` when the change no longer fits
        what the run has become.
        """
        owner = self.owner if keep else None

        async def once(tx: Tx) -> Committed:
            return await write(tx, self.row, decide(self.run), self.adapters.now(), owner)

        async def again(tx: Tx) -> Committed:
            before = self._open_step
            self._know(await self._load(tx))
            if keep and self.run.status is Status.CANCELLING:
                raise Interrupted
            if self._open_step != before:  # it was taken away, taken anew by the same name, and went on there
                raise Interrupted
            return await once(tx)

        await self._commit(once, again)

    async def _commit(self, once: Write, again: Write) -> None:
        try:
            written = await self._write(once, again)
        except Refused as refused:
            raise Interrupted from refused
        self.row, self._deltas = written.row, 0
        await publish(self.adapters.broker, written)

    async def _write(self, once: Write, again: Write) -> Committed:
        try:
            return await self.adapters.store.write(once)
        except Stale:
            return await self._write(again, again)

    async def emit(self, name: EventName, deltas: Sequence[bytes]) -> None:
        """Tell those who follow the run; deltas are not stored."""
        seq, before = self.row.seq, self._deltas
        self._deltas += len(deltas)
        events = [RawEvent(Position(seq, before + n), name, data) for n, data in enumerate(deltas, 1)]
        await self.adapters.broker.publish(self.run.id, events)

    async def reload(self) -> None:
        """Read the run and what it has half done again; `Interrupted` if it is gone or somebody else's."""
        self._know(await self.adapters.store.read(self._load))

    async def _load(self, tx: Tx) -> tuple[RunRow, OpenWork, Usage]:
        row = await tx.runs.load(self.run.id)
        if row is None or row.owner != self.owner:
            raise Interrupted
        return row, *await open_work(tx, row)

    def _know(self, known: tuple[RunRow, OpenWork, Usage]) -> None:
        row, self.opened, self.spent = known
        if row.seq != self.row.seq:
            # Deltas are numbered after the last stored event; those behind an older one would be taken for repeated.
            self._deltas = 0
        self.row = row

    async def open(self, decide: Callable[[Run], tuple[Change, OpenWork]]) -> OpenWork:
        """Write a change that opens a step, and remember what is open."""
        opened: list[OpenWork] = []

        def change(run: Run) -> Change:
            made, now_open = decide(run)
            opened[:] = [now_open]
            return made

        await self.commit(change)
        self.opened = opened[0]
        return self.opened

    async def end(self, signal: Callable[[Run], Signal], error: LastError | None = None) -> None:
        """Stop the run where it is, by the `signal` that it needs as it stands then: what it has half written is kept,
        and closed for what it is.
        """
        await self._let_go(
            lambda run: transitions.end(
                run, signal(run), OpenWork(self.opened.step, self.written), self.adapters.now(), self.spent, error
            )
        )

    async def delay(self, cause: LastError, until: int) -> None:
        """Let the run go, for others to go on with it at a later time."""
        await self._let_go(
            lambda run: transitions.delay(
                run, OpenWork(self.opened.step, self.written), self.adapters.now(), self.spent, cause, until
            )
        )

    async def _let_go(self, decide: Callable[[Run], Change]) -> None:
        """Write the last change, of what the store knows: it knows what is open even when this worker was interrupted
        in the middle of opening it. It is read in the same transaction, so what was under way is done by then, or
        never will be.
        """

        async def once(tx: Tx) -> Committed:
            self._know(await self._load(tx))
            return await write(tx, self.row, decide(self.run), self.adapters.now())

        await self._commit(once, once)

    async def publish_missed(self) -> None:
        """Publish stored events that followers have not seen: their write was interrupted, or was another process's."""
        told = self.row.seq

        async def work(tx: Tx) -> tuple[bool, Sequence[RawEvent]]:
            return await tx.runs.load(self.run.id) is None, await tx.events.after(self.run.id, told, _PAGE)

        deleted, events = await self.adapters.store.read(work)
        if deleted and not self.run.status.terminal:
            # Deleted with its thread: an end that nobody stored, so that nobody waits for it.
            change = transitions.stop(self.run, OpenWork(), self.spent, self.adapters.now())
            events = numbered(change.events, told + len(change.events))
        await self.adapters.broker.publish(self.run.id, events)

    def lose(self) -> None:
        """Somebody else holds the run now, and be it under the same name: nothing of this one is written any more."""
        self.owner = ""

    @property
    def _open_step(self) -> str | None:
        return None if self.opened.step is None else self.opened.step.id

    @property
    def written(self) -> Message | None:
        """The open message with what is written so far."""
        message = self.opened.message
        if message is None or self.message is None or self.message.message_id != message.id:
            return message
        return replace(message, content=self.message.content())


async def claim(adapters: Adapters, run_id: str, owner: str) -> ClaimedRun | None:
    """Take the run whose turn it is when this one is ready: it, or one of its project that has waited longer.

    None if nobody waits any more; `NoRoom` while as many runs of the project are at work as may be.
    """

    async def work(tx: Tx) -> Committed | None:
        now = adapters.now()
        row = await tx.runs.next_claimable(run_id, adapters.max_running, now)
        return None if row is None else await write(tx, row, transitions.claim(row.run, now), now, owner)

    taken = await adapters.store.write(work)
    if taken is None:
        return None
    await publish(adapters.broker, taken)
    return ClaimedRun(adapters, taken.row, owner)
