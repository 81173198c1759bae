"""What customers were told: every run that was acknowledged to them, and how it went."""

from time import monotonic

from msgspec import Struct, field

from runstead.wire.event import Event
from runstead.wire.run import Run
from tests.support.reader import Reader

__all__ = ["Ledger", "Silence", "Story"]

_NOTED = 0.5
"""Seconds of silence in the middle of a run that are worth a line."""


class Silence(Struct, frozen=True):
    """A run of which its reader heard nothing for a while, though it did not wait for anybody."""

    began: float
    seconds: float


class Story(Struct):
    """One run, as its customer saw it."""

    key: str
    kind: str
    ledger: "Ledger"
    run: Run | None = None
    over: bool = False
    last_heard: float = field(default_factory=monotonic)

    def acknowledged(self, run: Run) -> None:
        """The server said yes: from here on it must not be lost."""
        self.run = run
        self.last_heard = monotonic()

    def heard(self, event: Event) -> None:
        """An event came."""
        now = monotonic()
        if now - self.last_heard > _NOTED:
            self.ledger.silences.append(Silence(self.last_heard, now - self.last_heard))
        self.last_heard = now
        self.ledger.events += 1

    def troubled(self, error: Exception, until: float) -> None:
        """A connection broke in the middle of reading; that goes on elsewhere, unless nobody answers for too long."""
        self.ledger.interruptions += 1
        if monotonic() > until:
            raise error

    def ended(self, run: Run, reader: Reader) -> None:
        """The reader saw everything to the end."""
        assert reader.status == run.status, f"the events of {run.id} end with {reader.status}, it is {run.status}"
        self.run = run
        self.over = True


class Ledger:
    """The stories of all customers."""

    def __init__(self) -> None:
        self.stories: list[Story] = []
        self.silences: list[Silence] = []
        self.events = 0
        self.interruptions = 0

    def begin(self, key: str, kind: str) -> Story:
        """A customer is about to create a run."""
        story = Story(key=key, kind=kind, ledger=self)
        self.stories.append(story)
        return story

    @property
    def acknowledged(self) -> list[Story]:
        """Those that must not be lost."""
        return [story for story in self.stories if story.run is not None]
