"""The history of an experiment: every acknowledged run, and when its events arrived."""

from time import monotonic

from msgspec import Struct, field

from runstead.wire.event import Event
from runstead.wire.run import Run
from tests.support.reader import Reader

__all__ = ["History", "RunRecord", "Silence"]

_SILENCE = 0.5
"""Seconds without an event that are recorded."""


class Silence(Struct, frozen=True):
    """A time without events of a run that was neither queued nor waiting for tool outputs."""

    began: float
    seconds: float
    run_id: str
    before: str
    """The event before it."""
    after: str
    """The event that ended it."""

    @property
    def ended(self) -> float:
        return self.began + self.seconds


class RunRecord(Struct):
    """One run as its user saw it."""

    key: str
    kind: str
    history: "History"
    run: Run | None = None
    over: bool = False
    last_event_at: float = field(default_factory=monotonic)
    last_event: str = "nothing"

    def acknowledge(self, run: Run) -> None:
        """The server has acknowledged the run, so it must not be lost."""
        self.run = run
        self.last_event_at = monotonic()

    def start_following(self) -> None:
        """The user begins to read. A run that was queued may have had no event for long."""
        self.last_event_at = monotonic()

    def receive(self, event: Event) -> None:
        """An event arrived."""
        now = monotonic()
        if now - self.last_event_at > _SILENCE:
            silence = Silence(
                began=self.last_event_at, seconds=now - self.last_event_at, run_id=self.run.id if self.run else "",
                before=self.last_event, after=str(event.event),
            )  # fmt: skip
            self.history.silences.append(silence)
        self.last_event_at, self.last_event = now, str(event.event)
        self.history.events += 1

    def connection_failed(self, error: Exception, deadline: float) -> None:
        """The client failed while reading. The user reads elsewhere, unless the deadline has passed."""
        self.history.failed_connections += 1
        if monotonic() > deadline:
            raise error

    def finish(self, run: Run, reader: Reader) -> None:
        """The user has read all events to the end of the run."""
        assert reader.status == run.status, (
            f"the events of {run.id} end with {reader.status}, its status is {run.status}"
        )
        self.run = run
        self.over = True


class History:
    """The records of all users."""

    def __init__(self) -> None:
        self.records: list[RunRecord] = []
        self.silences: list[Silence] = []
        self.events = 0
        self.switched = 0
        """Connections that users closed in order to read elsewhere."""
        self.failed_connections = 0
        """Connections that broke and that the client did not restore by itself."""

    def begin(self, key: str, kind: str) -> RunRecord:
        """A user is about to create a run."""
        record = RunRecord(key=key, kind=kind, history=self)
        self.records.append(record)
        return record

    @property
    def acknowledged(self) -> list[RunRecord]:
        """The records of runs that must not be lost."""
        return [record for record in self.records if record.run is not None]
