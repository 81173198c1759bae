"""A run's journal in memory: its finished steps and its open step."""

from collections.abc import Iterable, Sequence

from runstead.domain.run import usage
from runstead.domain.run.change import Change
from runstead.domain.run.journal import Call, OpenWork, StepLog, StepRow
from runstead.store.port import RunRow, Tx
from runstead.wire.message import Message
from runstead.wire.run import Usage
from runstead.wire.run_step import MessageCreationDetails

__all__ = ["Journal", "read_journal", "read_open_work"]


_FEW = 4
"""Steps that are read first: a round has two."""


_ROW = 2000
"""Bytes of a step without its calls, about."""


class Journal:
    """The rows of a run's steps, oldest first, and those of the messages they wrote that are known.

    Read once from the store, it is kept up by the changes that are committed, and by what is read again. Rows that have
    ended do not change: they are neither read nor looked at again.
    """

    def __init__(
        self, rows: Iterable[StepRow] = (), messages: Iterable[Message] = (), *, complete: bool = False
    ) -> None:
        self.complete = complete
        """Whether it has all rows from the first one on. Otherwise it has only the rows that this worker wrote."""
        self._log = StepLog()
        self._places: dict[str, int] = {}
        self._written: list[str] = []
        self.messages = {message.id: message for message in messages}
        self.call_ids: set[str] = set()
        """The ids of all calls."""
        self.size = 0
        """Bytes of its calls and their outputs, about."""
        self.update(rows)

    @property
    def rows(self) -> StepLog:
        """All rows, oldest first."""
        return self._log

    @property
    def open_work(self) -> OpenWork:
        """The open step, if any. Only a message that the model wrote behind its calls can follow it."""
        row = _open(self._log[-2:])
        if row is None:
            return OpenWork()
        return OpenWork(row, self.messages.get(_written_by(row) or ""))

    @property
    def unfinished(self) -> Sequence[Call]:
        """The calls that the server has to run before the model is asked again."""
        row = self.open_work.row
        return row.unfinished if row is not None and row.asked else []

    @property
    def spent(self) -> Usage:
        """The usage of all steps."""
        return usage.total(self._log)

    @property
    def unread(self) -> list[str]:
        """The ids of the messages that completed steps wrote and that are not known yet."""
        self._written = [id for id in self._written if id not in self.messages]
        return self._written

    def has_ended(self, row_id: str) -> bool:
        """Whether this row is known, and has ended."""
        place = self._places.get(row_id)
        return place is not None and self._log[place].step.status != "in_progress"

    def apply(self, change: Change) -> None:
        """Take over what a committed change wrote."""
        self.messages |= {message.id: message for message in (*change.new_messages, *change.messages)}
        self.update((*change.new_steps, *change.steps))

    def update(self, rows: Iterable[StepRow]) -> None:
        """Add new rows, and replace the open row, by rows as they are stored."""
        for row in rows:
            place = self._places.setdefault(row.id, len(self._log))
            self._log[place : place + 1] = [row]
            self.call_ids.update(call.id for call in row.calls)
            self.size += _ROW + sum(len(call.arguments) + len(call.output or "") for call in row.calls)
            message_id = _written_by(row)
            if message_id is not None and row.step.status == "completed":
                self._written.append(message_id)


def _written_by(row: StepRow) -> str | None:
    """The id of the message that a step writes."""
    details = row.step.step_details
    return details.message_creation.message_id if isinstance(details, MessageCreationDetails) else None


async def read_journal(tx: Tx, row: RunRow, known: Journal) -> Journal:
    """The known journal of the run, brought up to date: its steps, and the open message. Of the steps only those are
    read that may have changed since.
    """
    if known.complete:
        journal = known
        journal.update(await _changed(tx, row.run.id, known))
    else:
        journal = Journal(await tx.steps.of_run(row.run.id), known.messages.values(), complete=True)
    message = await _open_message(tx, row, journal.open_work.row)
    if message is not None:
        journal.messages[message.id] = message
    return journal


async def read_open_work(tx: Tx, row: RunRow) -> OpenWork:
    """The open step of the run, and its message."""
    found = _open(await tx.steps.newest(row.run.id, 2))
    return OpenWork() if found is None else OpenWork(found, await _open_message(tx, row, found))


def _open(rows: Iterable[StepRow]) -> StepRow | None:
    return next((row for row in rows if row.step.status == "in_progress"), None)


async def _changed(tx: Tx, run_id: str, known: Journal) -> list[StepRow]:
    """The stored rows from the first one on that is not known to have ended, oldest first.

    Before two that are known to have ended, all have.
    """
    limit = _FEW
    while True:
        newest = await tx.steps.newest(run_id, limit)
        ended = [known.has_ended(row.id) for row in newest]
        for place in range(len(newest) - 1):
            if ended[place] and ended[place + 1]:
                return newest[:place][::-1]
        if len(newest) < limit:
            return newest[::-1]
        limit *= 8


async def _open_message(tx: Tx, row: RunRow, open_row: StepRow | None) -> Message | None:
    message_id = None if open_row is None or open_row.step.status != "in_progress" else _written_by(open_row)
    return None if message_id is None else await tx.messages.get(row.project, row.run.thread_id, message_id)
