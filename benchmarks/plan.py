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
    cluster_rounds: int = 3
    """Rounds for each layout of a cluster."""
    counted: int = 500
    """Runs over which is counted what they ask of PostgreSQL and NATS."""
    kills: int = 12
    """Workers that are killed while they carry a run."""
    listeners: int = 1000
    crowd: int = 10_000
    """Runs that wait in one worker of a cluster."""
    backlog: int = 2000
    client_rounds: int = 3
    client_seconds: float = 0.6
    """Processor seconds given to each figure of a client."""


def quick(disk: Path) -> Plan:
    few = Plan(disk, rounds=2, window=0.2, streams=4, waiting=200, lengths=(10, 1_000), starts=2)
    few = replace(few, cluster_rounds=1, counted=100, kills=2, listeners=100, crowd=500, backlog=200)
    return replace(few, client_rounds=1, client_seconds=0.15)
