"""The order in which transactions that wait for a connection begin."""

from enum import Enum

__all__ = ["Lane"]


class Lane(Enum):
    """The purpose of a transaction. It decides which waiting transaction begins first, and which may be refused.

    A run that has begun is finished before others begin: under overload some runs end, instead of none.
    """

    CALL = "call"
    """A call of the API. It is refused with `Unreachable` when its turn does not come within a few seconds."""
    RUN = "run"
    """A run is claimed, or begins a step. It waits as long as it takes, in turn with the calls."""
    CLOSING = "closing"
    """A run's open step or the run itself ends. It goes before calls and beginnings, and waits as long as it takes."""
    MAINTENANCE = "maintenance"
    """A short look at workers, deadlines or cancelled runs. It has a connection of its own."""
