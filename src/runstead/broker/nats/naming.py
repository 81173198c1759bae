"""Subjects. An id may come from a stranger's request: as a part of a subject it can be nothing but a name."""

import re
from hashlib import sha256

from msgspec import Struct

__all__ = ["WORKERS", "Naming"]

WORKERS = "workers"
"""The consumer of offers that all workers share."""

_PLAIN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class Naming(Struct, frozen=True):
    """The names of one installation's things on a server that may serve several."""

    name: str

    @property
    def runs(self) -> str:
        """The stream of offers."""
        return f"{self.name}_RUNS"

    @property
    def events(self) -> str:
        """The stream of events."""
        return f"{self.name}_EV"

    @property
    def offer(self) -> str:
        """Where runs are offered."""
        return f"{self.name}.offer"

    @property
    def interrupt(self) -> str:
        """Where interrupts are told."""
        return f"{self.name}.interrupt"

    @property
    def every_event(self) -> str:
        """Where all events are told."""
        return f"{self.name}.ev.*"

    @property
    def next_offer(self) -> str:
        """Where a worker asks for an offer."""
        return f"$JS.API.CONSUMER.MSG.NEXT.{self.runs}.{WORKERS}"

    @staticmethod
    def read(data: bytes) -> str | None:
        """The run id that was told; None if it is not one that we made."""
        told = data.decode(errors="replace")
        return told if _PLAIN.fullmatch(told) else None

    def event(self, run_id: str) -> str:
        """Where a run's events are told."""
        token = run_id if _PLAIN.fullmatch(run_id) else "~" + sha256(run_id.encode()).hexdigest()
        return f"{self.name}.ev.{token}"
