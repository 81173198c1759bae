"""The number of rounds and their sizes: for reliable medians, or for a quick look."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Plan:
    """Rounds and sizes of every section."""

    disk: Path
    """The folder of the servers' data. It has to be on a real disk, or `fsync` costs nothing."""
    rounds: int = 5
    window: float = 1.0
    """Seconds of load on one target in one round."""
    streams: int = 10
    """Single streams of one target in one round."""
    waiting: int = 1000
    lengths: tuple[int, ...] = (10, 1_000, 100_000)
    starts: int = 5
    cluster_rounds: int = 3
    """Rounds for each layout of a cluster."""
    counted: int = 500
    """Runs over which the requests to PostgreSQL and NATS are counted."""
    kills: int = 12
    """Workers that are killed while they execute a run."""
    listeners: int = 1000
    waiting_in_worker: int = 10_000
    """Runs that wait in the only worker of a cluster."""
    backlog: int = 2000
    burst: int = 10_000
    """Runs whose model answers all in the same moment."""
    embedded: int = 400
    """Chunks of text that are embedded."""
    chunks: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Chunks of the searched vector stores, each a multiple of 500."""
    postgres_chunks: tuple[int, ...] = (1_000, 30_000)
    searches: int = 300
    files: int = 6
    """Files that are ingested in one round."""
    client_rounds: int = 3
    client_seconds: float = 0.6
    """Processor seconds for each figure of a client."""


def quick(disk: Path) -> Plan:
    plan = Plan(disk, rounds=2, window=0.2, streams=4, waiting=200, lengths=(10, 1_000), starts=2)
    plan = replace(plan, cluster_rounds=1, counted=100, kills=2, listeners=100, waiting_in_worker=500, backlog=200)
    plan = replace(plan, chunks=(1_000, 10_000), postgres_chunks=(1_000,), searches=100)
    return replace(plan, burst=1000, embedded=100, files=2, client_rounds=1, client_seconds=0.15)
