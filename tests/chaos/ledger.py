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
    run_id: str
    before: str
    """The last event that was heard."""
    after: str
    """The one that ended it."""

    @property
    def ended(self) -> float:
        return self.began + self.seconds


class Story(Struct):
    """One run, as its customer saw it."""

    key: str
    kind: str
    ledger: "Ledger"
    run: Run | None = None
    over: bool = False
    last_heard: float = field(default_factory=monotonic)
    last_event: str = "nothing"

    def acknowledged(self, run: Run) -> None:
        """The server said yes: from here on it must not be lost."""
        self.run = run
        self.last_heard = monotonic()

    def followed(self) -> None:
        """Its reader begins; what waited in line for others may have been silent for long."""
        self.last_heard = monotonic()

    def heard(self, event: Event) -> None:
        """An event came."""
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
        """The client gave up in the middle of reading; that goes on elsewhere, unless nobody answers for too long."""
        self.ledger.given_up += 1
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
        self.left = 0
        """Connections that readers left on purpose, to read on by another one."""
        self.given_up = 0
        """Those that broke, and that the client did not make anew by itself."""

    def begin(self, key: str, kind: str) -> Story:
        """A customer is about to create a run."""
        story = Story(key=key, kind=kind, ledger=self)
        self.stories.append(story)
        return story

    @property
    def acknowledged(self) -> list[Story]:
        """Those that must not be lost."""
        return [story for story in self.stories if story.run is not None]
