"""An installation of several processes: a PostgreSQL with durable commits, a NATS, servers and workers.

The tests' code starts them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.processes import Server, free_port, seconds_used
from runstead.config import Config
from tests.support.cluster import Cluster, cluster
from tests.support.nats import NatsServer
from tests.support.postgres import Server as Postgres
from tests.support.program import Program

DURABLE = {"fsync": "on", "full_page_writes": "on", "deadlock_timeout": "1s"}
"""PostgreSQL's defaults; the tests use faster settings without durability."""
REGISTERED = re.compile(r"is registered worker=(\w+)")


@dataclass(frozen=True)
class Engines:
    """The servers below an installation."""

    postgres: Postgres
    nats: NatsServer
    monitor: int
    """The port of NATS's monitoring."""


@dataclass(frozen=True)
class Installation:
    """The processes of an installation, including those that are started later."""

    engines: Engines
    model: Server
    programs: Cluster

    @property
    def apis(self) -> list[Server]:
        return [_server(program) for program in self.programs.apis]

    @property
    def workers(self) -> list[Server]:
        return [_server(program) for program in self.programs.workers]

    def cpu(self) -> dict[str, float]:
        """Seconds of processor time so far, by kind of process."""
        return {
            "api": sum(server.cpu() for server in self.apis),
            "worker": sum(server.cpu() for server in self.workers),
            "PostgreSQL": cpu_seconds_with_children(self.engines.postgres.pid),
            "NATS": seconds_used(self.engines.nats.pid),
        }

    def config(self, **settings: Any) -> Config:
        """The configuration for a process that is not started by this module."""
        return Config(
            database=self.engines.postgres.url,
            installation=self.programs.installation,
            broker=self.engines.nats.url,
            model_url=self.model.url,
            model_key="none",
            **settings,
        )

    async def sql(self) -> "asyncpg.Connection[Any]":
        """A connection to the installation's schema."""
        return await asyncpg.connect(
            self.engines.postgres.url, server_settings={"search_path": f"{self.programs.installation}, public"}
        )

    def worker_process(self, worker: str) -> Program:
        """The process that registered as this worker."""
        return next(each for each in self.programs.workers if worker in REGISTERED.findall(each.log))


@contextmanager
def engines(disk: Path, **settings: str) -> Iterator[Engines]:
    """A PostgreSQL, with additional settings, and a NATS, both with their data on this disk."""
    disk.chmod(0o711)  # PostgreSQL may run as another user
    postgres, monitor = Postgres(disk, **DURABLE, **settings), free_port()
    nats = NatsServer(disk / f"nats-{monitor}", "-m", str(monitor))
    try:
        postgres.start()
        nats.start()
        yield Engines(postgres, nats, monitor)
    finally:
        nats.kill()
        postgres.remove()


@contextmanager
def installation(
    on: Engines, model: Server, folder: Path, *, apis: int = 1, workers: int = 1, both: int = 0, **settings: str
) -> Iterator[Installation]:
    """An installation in its own schema, ready: `both` is the number of processes with both roles."""
    with cluster(
        folder,
        apis=apis,
        workers=workers,
        postgres=on.postgres,
        nats=on.nats,
        broker=True,
        model_url=model.url,
        model_key="none",
        **settings,
    ) as programs:
        for _ in range(both):
            programs.api(roles="api,worker").ready()
        yield Installation(on, model, programs)


def cpu_seconds_with_children(pid: int) -> float:
    """Processor time of a process and its children, including those that have ended."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return seconds_used(pid, ended_children=True) + sum(seconds_used(int(child)) for child in children)


def _server(program: Program) -> Server:
    port = int(program.url.rpartition(":")[2]) if "listens" in program.line else 0
    return Server(program.process, port)
