"""An installation of several processes: a PostgreSQL whose commits are on disk, a NATS, servers and workers.

What starts them is what the tests start theirs with.
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
"""As PostgreSQL comes; the tests' own promises less, to be fast."""
ENTERED = re.compile(r"has entered worker=(\w+)")


@dataclass(frozen=True)
class Engines:
    """What an installation stands on."""

    postgres: Postgres
    nats: NatsServer
    monitor: int
    """The port where NATS tells what it has done."""


@dataclass(frozen=True)
class Installation:
    """Its processes: these that were started with it, and those that are started later."""

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
        """Seconds of processor time so far, by part."""
        return {
            "api": sum(server.cpu() for server in self.apis),
            "worker": sum(server.cpu() for server in self.workers),
            "PostgreSQL": family_seconds(self.engines.postgres.pid),
            "NATS": seconds_used(self.engines.nats.pid),
        }

    def config(self, **settings: Any) -> Config:
        """For a process of the installation that is not started from here."""
        return Config(
            database=self.engines.postgres.url,
            installation=self.programs.installation,
            broker=self.engines.nats.url,
            model_url=self.model.url,
            model_key="none",
            **settings,
        )

    async def sql(self) -> "asyncpg.Connection[Any]":
        """A connection to what is stored."""
        return await asyncpg.connect(
            self.engines.postgres.url, server_settings={"search_path": f"{self.programs.installation}, public"}
        )

    def who(self, worker: str) -> Program:
        """The process that entered by this name."""
        return next(each for each in self.programs.workers if worker in ENTERED.findall(each.log))


@contextmanager
def engines(disk: Path, **settings: str) -> Iterator[Engines]:
    """A PostgreSQL, with further settings of its own, and a NATS, both with their data on this disk."""
    disk.chmod(0o711)  # PostgreSQL may have to run as somebody else
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
    """So many servers, workers, and processes that are `both`, ready, over a schema of their own."""
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


def family_seconds(pid: int) -> float:
    """Processor time of a process and of its children, those that ended included."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return seconds_used(pid, ended_children=True) + sum(seconds_used(int(child)) for child in children)


def _server(program: Program) -> Server:
    port = int(program.url.rpartition(":")[2]) if "listens" in program.line else 0
    return Server(program.process, port)
