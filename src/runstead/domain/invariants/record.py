"""A run as the checker reads it: the run, its columns in the database, and the rows that belong to it."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from msgspec import Struct

from runstead.domain.run.journal import StepRow
from runstead.wire.event import Event
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep

__all__ = ["EventBatch", "LedgerPage", "RunRecord", "Violation", "differences"]

T = TypeVar("T", Run, RunStep, Message)


class EventBatch(Struct, frozen=True):
    """The events of a run that one transaction stored, numbered `first` to `last`."""

    first: int
    last: int
    events: Sequence[Event]


class RunRecord(Struct, frozen=True, kw_only=True):
    """A run with everything that the store has about it."""

    run: Run
    project: str
    last_event: int
    """The number of the run's last event, as its row has it."""
    status: str
    """The status column: the run's status, or `waiting` while the run is queued behind another one."""
    deadline: int | None
    """The column by which expired runs are found. Unix seconds."""
    has_thread: bool
    other_active_run: str | None = None
    """The id of another run that is active on the same thread."""
    owner: str | None = None
    """The name of the worker that owns the run."""
    owner_alive: bool = False
    """The owner is a registered worker."""
    predecessor: str | None = None
    """The id of the run that this one is queued behind."""
    predecessor_status: str | None = None
    """The predecessor's status column; None if the thread has no such run."""
    event_batches: Sequence[EventBatch] = ()
    """In the order of their numbers."""
    steps: Sequence[StepRow] = ()
    """The run's journal, in its order."""
    messages: Sequence[Message] = ()
    """The messages that the run wrote, in the order of the thread."""
    message_between: str | None = None
    """The id of a message of another writer that stands between two messages of the run."""
    waiting_messages: Sequence[str] = ()
    """The ids of the messages that join the thread when the run has ended."""
    in_other_project: Sequence[str] = ()
    """The ids of the run's steps and messages whose row has another project."""

    @property
    def events(self) -> Sequence[Event]:
        """The run's stored events, oldest first."""
        return [event for batch in self.event_batches for event in batch.events]

    def last_published(self, kind: type[T]) -> dict[str, T]:
        """The objects of a kind that the events describe, by id, each as its last event shows it."""
        return {event.data.id: event.data for event in self.events if isinstance(event.data, kind)}


class Violation(NamedTuple):
    """A run or a file that breaks an invariant, and how."""

    subject: str
    """The id of what breaks it."""
    problem: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.problem}"


class LedgerPage(Struct, frozen=True):
    """The records of the runs in a range of ids."""

    records: Sequence[RunRecord]
    violations: Sequence[Violation]
    """Rows in that range whose run does not exist, and runs that cannot be decoded."""
    last: str | None
    """The id that ends the range; None if there are no runs after it."""


def differences(published: Run | RunStep | Message, stored: Run | RunStep | Message) -> str:
    """The names of the fields that differ. Metadata is left out, because changing it stores no event."""
    fields = (name for name in stored.__struct_fields__ if name != "metadata")
    return ", ".join(name for name in fields if getattr(published, name) != getattr(stored, name))
