"""A claimed run in a worker's hands: what it has half done, and the writes that only its holder may make."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from runstead.domain import moves, usage
from runstead.domain.assembly import CallsDraft, MessageDraft
from runstead.domain.change import Change
from runstead.domain.lifecycle import Refused, Signal
from runstead.domain.moves import Open
from runstead.engine.commit import Written, numbered, tell, write
from runstead.engine.half_done import half_done
from runstead.engine.ports import Ports
from runstead.store.port import RunRow, Stale, Tx
from runstead.wire.event import EventName, Position, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import LastError, Run, Status, Usage

__all__ = ["Hold", "Interrupted", "claim"]

_PAGE = 500


Write: TypeAlias = Callable[[Tx], Awaitable[Written]]


class Interrupted(Exception):
    """The run was cancelled, or is no longer ours: look at it again."""


class Hold:
    """One run, held by one worker."""

    def __init__(self, ports: Ports, row: RunRow, owner: str) -> None:
        self.ports = ports
        self.row = row
        self.owner = owner
        self.opened = Open()
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

        async def once(tx: Tx) -> Written:
            return await write(tx, self.row, decide(self.run), self.ports.now(), owner)

        async def again(tx: Tx) -> Written:
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
        await tell(self.ports.broker, written)

    async def _write(self, once: Write, again: Write) -> Written:
        try:
            return await self.ports.store.write(once)
        except Stale:
            return await self._write(again, again)

    async def emit(self, name: EventName, deltas: Sequence[bytes]) -> None:
        """Tell those who follow the run; deltas are not stored."""
        seq, before = self.row.seq, self._deltas
        self._deltas += len(deltas)
        events = [RawEvent(Position(seq, before + n), name, data) for n, data in enumerate(deltas, 1)]
        await self.ports.broker.publish(self.run.id, events)

    async def reload(self) -> None:
        """Read the run and what it has half done again; `Interrupted` if it is gone or somebody else's."""
        self._know(await self.ports.store.read(self._load))

    async def _load(self, tx: Tx) -> tuple[RunRow, Open, Usage]:
        row = await tx.runs.load(self.run.id)
        if row is None or row.owner != self.owner:
            raise Interrupted
        return row, *await half_done(tx, row)

    def _know(self, known: tuple[RunRow, Open, Usage]) -> None:
        row, self.opened, self.spent = known
        if row.seq != self.row.seq:
            # Deltas are numbered after the last stored event; those behind an older one would be taken for repeated.
            self._deltas = 0
        self.row = row

    async def open(self, decide: Callable[[Run], tuple[Change, Open]]) -> Open:
        """Write a change that opens a step, and remember what is open."""
        opened: list[Open] = []

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
            lambda run: moves.end(
                run, signal(run), Open(self.opened.step, self.written), self.ports.now(), self.spent, error
            )
        )

    async def delay(self, cause: LastError, until: int) -> None:
        """Let the run go, for others to go on with it at a later time."""
        await self._let_go(
            lambda run: moves.delay(
                run, Open(self.opened.step, self.written), self.ports.now(), self.spent, cause, until
            )
        )

    async def _let_go(self, decide: Callable[[Run], Change]) -> None:
        """Write the last change, of what the store knows: it knows what is open even when this worker was interrupted
        in the middle of opening it. It is read in the same transaction, so what was under way is done by then, or
        never will be.
        """

        async def once(tx: Tx) -> Written:
            self._know(await self._load(tx))
            return await write(tx, self.row, decide(self.run), self.ports.now())

        await self._commit(once, once)

    async def part(self) -> None:
        """Tell those who follow what was written without them being told: a write that is interrupted may be done."""
        told = self.row.seq

        async def work(tx: Tx) -> tuple[bool, Sequence[RawEvent]]:
            return await tx.runs.load(self.run.id) is None, await tx.events.after(self.run.id, told, _PAGE)

        deleted, events = await self.ports.store.read(work)
        if deleted and not self.run.status.terminal:
            # Deleted with its thread: an end that nobody stored, so that nobody waits for it.
            change = moves.abandon(self.run, Open(), self.spent, self.ports.now())
            events = numbered(change.events, told + len(change.events))
        await self.ports.broker.publish(self.run.id, events)

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


async def claim(ports: Ports, run_id: str, owner: str) -> Hold | None:
    """Take the run whose turn it is when this one is ready: it, or one of its project that has waited longer.

    None if nobody waits any more; `NoRoom` while as many runs of the project are at work as may be.
    """

    async def work(tx: Tx) -> Written | None:
        now = ports.now()
        row = await tx.runs.turn(run_id, ports.most_running, now)
        return None if row is None else await write(tx, row, moves.claim(row.run, now), now, owner)

    taken = await ports.store.write(work)
    if taken is None:
        return None
    await tell(ports.broker, taken)
    return Hold(ports, taken.row, owner)
