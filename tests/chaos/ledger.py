"""The record of what customers saw: every acknowledged run, its events, and gaps in them."""

from time import monotonic

from msgspec import Struct, field

from runstead.wire.event import Event
from runstead.wire.run import Run
from tests.support.reader import Reader

__all__ = ["Ledger", "Silence", "Story"]

_NOTED = 0.5
"""Seconds without an event during a run that are recorded as a silence."""


class Silence(Struct, frozen=True):
    """A time without an event of a run that was not queued behind another."""

    began: float
    seconds: float
    run_id: str
    before: str
    """The last event before it."""
    after: str
    """The event that ended it."""

    @property
    def ended(self) -> float:
        return self.began + self.seconds


class Story(Struct):
    """One run as its customer sees it."""

    key: str
    kind: str
    ledger: "Ledger"
    run: Run | None = None
    over: bool = False
    last_heard: float = field(default_factory=monotonic)
    last_event: str = "nothing"

    def acknowledged(self, run: Run) -> None:
        """The server acknowledged the run. From here on it must not be lost."""
        self.run = run
        self.last_heard = monotonic()

    def followed(self) -> None:
        """The customer starts reading. The time that a run was queued behind others is no silence."""
        self.last_heard = monotonic()

    def heard(self, event: Event) -> None:
        """The customer received an event."""
        now = monotonic()
        if now - self.last_heard > _NOTED:
            silence = Silence(
                began=self.last_heard, seconds=now - self.last_heard, run_id=self.run.id if self.run else "",
                before=self.last_event, after=str(event.event),
            )  # fmt: skip
            self.ledger.silences.append(silence)
        self.last_heard, self.last_event = now, str(event.event)
        self.ledger.events += 1

    def troubled(self, error: Exception, until: float) -> None:
        """Reading failed in the client. The customer reads from another server, until the time is over."""
        self.ledger.given_up += 1
        if monotonic() > until:
            raise error

    def ended(self, run: Run, reader: Reader) -> None:
        """The reader has read all events of the run."""
        assert reader.status == run.status, f"the events of {run.id} end with {reader.status}, it is {run.status}"
        self.run = run
        self.over = True


class Ledger:
    """The stories of all customers, with counts."""

    def __init__(self) -> None:
        self.stories: list[Story] = []
        self.silences: list[Silence] = []
        self.events = 0
        self.left = 0
        """Connections that readers closed on purpose, to continue on another one."""
        self.given_up = 0
        """Connections that broke, and that the client did not restore by itself."""

    def begin(self, key: str, kind: str) -> Story:
        """A customer is about to create a run."""
        story = Story(key=key, kind=kind, ledger=self)
        self.stories.append(story)
        return story

    @property
    def acknowledged(self) -> list[Story]:
        """The runs that must not be lost."""
        return [story for story in self.stories if story.run is not None]
