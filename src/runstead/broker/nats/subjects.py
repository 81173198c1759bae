"""The names of subjects and streams. An id may come from a request: as a part of a subject it can only be a name."""

import re
from hashlib import sha256

from msgspec import Struct

__all__ = ["WORKERS", "Subjects"]

WORKERS = "workers"
"""The consumer of offers that all workers share."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Subjects(Struct, frozen=True):
    """The subjects and streams of one installation on a server that may serve several."""

    name: str

    @property
    def offer_stream(self) -> str:
        """The stream of offers."""
        return f"{self.name}_RUNS"

    @property
    def event_stream(self) -> str:
        """The stream of events."""
        return f"{self.name}_EV"

    @property
    def offer(self) -> str:
        """Where runs are offered."""
        return f"{self.name}.offer"

    @property
    def interrupt(self) -> str:
        """Where interrupts are published."""
        return f"{self.name}.interrupt"

    @property
    def every_event(self) -> str:
        """Where the events of all runs are published."""
        return f"{self.name}.ev.*"

    @property
    def next_offer(self) -> str:
        """Where a worker requests an offer."""
        return f"$JS.API.CONSUMER.MSG.NEXT.{self.offer_stream}.{WORKERS}"

    @staticmethod
    def run_id(data: bytes) -> str | None:
        """The run id in a message; None if the data is not one that this program makes."""
        text = data.decode(errors="replace")
        return text if _PLAIN.fullmatch(text) else None

    def event(self, run_id: str) -> str:
        """Where a run's events are published."""
        token = run_id if _PLAIN.fullmatch(run_id) else "~" + sha256(run_id.encode()).hexdigest()
        return f"{self.name}.ev.{token}"
