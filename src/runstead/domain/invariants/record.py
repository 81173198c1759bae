"""All that is kept of a run, side by side, so that it can be judged."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from msgspec import Struct

from runstead.domain.run.journal import StepRow
from runstead.wire.event import Event
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.run_step import RunStep

__all__ = ["Batch", "LedgerPage", "Record", "Violation"]

T = TypeVar("T", Run, RunStep, Message)


class Batch(Struct, frozen=True):
    """The events that a run told in one change, numbered `first` to `last`."""

    first: int
    last: int
    events: Sequence[Event]


class Record(Struct, frozen=True, kw_only=True):
    """A run, how it is found, and what belongs to it."""

    run: Run
    project: str
    last_event: int
    """How many events it has told, as it knows itself."""
    status: str
    """The status by which it is found: its own, or `waiting` when it waits for its turn."""
    deadline: int | None
    """The time by which it is found when that is over."""
    has_thread: bool
    rival: str | None = None
    """Another run of its thread that is found to be active."""
    owner: str | None = None
    """The worker that holds it."""
    owner_lives: bool = False
    predecessor: str | None = None
    """The run that it waits for."""
    ahead: str | None = None
    """The status by which that one is found; None when there is none such on the thread."""
    told: Sequence[Batch] = ()
    steps: Sequence[StepRow] = ()
    """Its journal."""
    messages: Sequence[Message] = ()
    """Those that it wrote."""
    waiting: Sequence[str] = ()
    """The ids of the messages that join the thread when it has ended."""
    foreign: Sequence[str] = ()
    """The ids of its steps and messages that are kept for another project."""

    @property
    def history(self) -> Sequence[Event]:
        """All that it has told, in order."""
        return [event for batch in self.told for event in batch.events]

    def last_told(self, kind: type[T]) -> dict[str, T]:
        """Each thing of a kind that it told of, by id, as it was told last."""
        return {event.data.id: event.data for event in self.history if isinstance(event.data, kind)}


class Violation(NamedTuple):
    """Something that is not as it must be."""

    run_id: str
    words: str

    def __str__(self) -> str:
        return f"{self.run_id}: {self.words}"


class LedgerPage(Struct, frozen=True):
    """A part of all runs: those whose ids lie in a range."""

    records: Sequence[Record]
    violations: Sequence[Violation]
    """What is kept in that range for runs that are not there, and what cannot be read."""
    last: str | None
    """The id that ends the range; None when no run is behind it."""
