"""How much is measured: enough for a median that can be trusted, or a quick look."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """Rounds and sizes of every section."""

    disk: Path
    """Where the servers keep their data: a real disk, or `fsync` costs nothing."""
    rounds: int = 5
    window: float = 1.0
    """Seconds that one target is pressed in one round."""
    streams: int = 10
    """Single streams a target reads in one round."""
    waiting: int = 1000
    lengths: tuple[int, ...] = (10, 1_000, 100_000)
    starts: int = 5
    client_rounds: int = 3
    client_seconds: float = 0.6
    """Processor seconds given to each figure of a client."""


def quick(disk: Path) -> Plan:
    few = Plan(disk, rounds=2, window=0.2, streams=4, waiting=200, lengths=(10, 1_000), starts=2)
    return replace(few, client_rounds=1, client_seconds=0.15)
