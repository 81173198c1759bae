"""A run's journal in memory: its finished steps and its open step."""

from collections.abc import Sequence

from runstead.domain.run import usage
from runstead.domain.run.change import Change
from runstead.domain.run.journal import Call, OpenWork, StepRow
from runstead.store.port import RunRow, Tx
from runstead.wire.message import Message
from runstead.wire.run import Usage
from runstead.wire.run_step import MessageCreationDetails

__all__ = ["Journal", "read_journal", "read_open_work"]


class Journal:
    """The rows of a run's steps, oldest first, and those of the messages they wrote that are known.

    Read once from the store, it is kept up by the changes that are committed.
    """

    def __init__(self, rows: Sequence[StepRow] = (), messages: Sequence[Message] = ()) -> None:
        self._rows = {row.id: row for row in rows}
        self.messages = {message.id: message for message in messages}

    @property
    def rows(self) -> Sequence[StepRow]:
        """All rows, oldest first."""
        return list(self._rows.values())

    @property
    def open_work(self) -> OpenWork:
        """The open step, if any. Only a message that the model wrote behind its calls can follow it."""
        row = next((row for row in reversed(self._rows.values()) if row.step.status == "in_progress"), None)
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
        return usage.total(self._rows.values())

    @property
    def call_ids(self) -> set[str]:
        """The ids of all calls."""
        return {call.id for row in self._rows.values() for call in row.calls}

    @property
    def unread(self) -> list[str]:
        """The ids of the messages that completed steps wrote and that are not known yet."""
        written = [_written_by(row) for row in self._rows.values() if row.step.status == "completed"]
        return [id for id in written if id is not None and id not in self.messages]

    def apply(self, change: Change) -> None:
        """Take over what a committed change wrote."""
        self._rows |= {row.id: row for row in (*change.new_steps, *change.steps)}
        self.messages |= {message.id: message for message in (*change.new_messages, *change.messages)}


def _written_by(row: StepRow) -> str | None:
    """The id of the message that a step writes."""
    details = row.step.step_details
    return details.message_creation.message_id if isinstance(details, MessageCreationDetails) else None


async def read_journal(tx: Tx, row: RunRow) -> Journal:
    """The run's journal as the store has it: all steps, and the open message."""
    journal = Journal(await tx.steps.of_run(row.run.id))
    open_row = journal.open_work.row
    message_id = None if open_row is None else _written_by(open_row)
    if message_id is not None:
        message = await tx.messages.get(row.project, row.run.thread_id, message_id)
        if message is not None:
            journal.messages[message.id] = message
    return journal


async def read_open_work(tx: Tx, row: RunRow) -> tuple[OpenWork, Usage]:
    """The open step of the run, and the usage of all its steps."""
    journal = await read_journal(tx, row)
    return journal.open_work, journal.spent
