"""A real cluster on this machine: PostgreSQL, NATS, and any number of `runstead serve` and `runstead worker`.

with cluster(tmp_path, apis=2, workers=2, script=SCRIPT) as here:
    with runstead.connect(here.apis[0].url) as client: …
    here.workers[0].kill()
    here.worker().ready()

Every method blocks. An async test calls them with `asyncio.to_thread`.
"""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.nats import NatsCluster, NatsServer
from tests.support.postgres import Server, place, server
from tests.support.program import Clocks, Program

__all__ = ["Cluster", "cluster", "nats_server"]


class Cluster:
    """The processes of one installation. Processes that have ended stay in the lists."""

    def __init__(
        self,
        folder: Path,
        postgres: Server,
        brokers: str | None,
        settings: dict[str, str],
        clocks: Callable[[], Clocks | None] = lambda: None,
    ) -> None:
        self.postgres = postgres
        self.installation = place(folder)
        """The schema in PostgreSQL, and the prefix of names in NATS."""
        self.apis = list[Program]()
        self.workers = list[Program]()
        self._clocks = clocks
        self._settings = {
            "data": str(folder / "unused"),
            "database": postgres.url,
            "installation": self.installation,
            **({"broker": brokers} if brokers else {}),
            **settings,
        }

    @property
    def urls(self) -> list[str]:
        """The URLs of the servers that are running."""
        return [api.url for api in self.apis if api.process.poll() is None]

    def api(self, *arguments: str, roles: str = "api", port: int = 0, **settings: str) -> Program:
        """Start another server. It answers after `ready()`."""
        command = ("serve", "--roles", roles, "--port", str(port), *arguments)
        return self._add(self.apis, Program(*command, clocks=self._clocks(), **(self._settings | settings)))

    def worker(self, *arguments: str, **settings: str) -> Program:
        """Start another worker. It claims runs after `ready()`."""
        program = Program("worker", *arguments, clocks=self._clocks(), **(self._settings | settings))
        return self._add(self.workers, program)

    def migrate(self, *arguments: str) -> Program:
        """Start `runstead migrate`."""
        return Program("migrate", *arguments, clocks=None, **self._settings)

    def close(self) -> None:
        """Kill the processes that are running."""
        for program in [*self.apis, *self.workers]:
            program.close()

    def log(self) -> str:
        """The logs of all processes, to be printed when a test fails."""
        named = [("api", self.apis), ("worker", self.workers)]
        return "\n".join(
            f"--- {name} {number}, process {each.pid}\n{each.log}"
            for name, programs in named
            for number, each in enumerate(programs)
        )

    def _add(self, programs: list[Program], program: Program) -> Program:
        programs.append(program)
        return program


@functools.cache
def nats_server() -> NatsServer:
    """The server that tests share if they do not stop it. The first call starts it."""
    folder = Path(tempfile.mkdtemp(prefix="runstead-nats-"))
    shared = NatsServer(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(shared.kill)
    shared.start()
    return shared


@contextmanager
def cluster(
    folder: Path,
    *,
    apis: int = 1,
    workers: int = 1,
    script: str | None = None,
    postgres: Server | None = None,
    nats: NatsServer | NatsCluster | None = None,
    broker: bool = True,
    clocks: Callable[[], Clocks | None] = lambda: None,
    **settings: str,
) -> Iterator[Cluster]:
    """Servers (`apis`) and workers, all ready, over a schema of their own.

    The model is a `script`, as for `--script`, or at a `model_url`. `postgres` and `nats` are running servers that the
    test may stop; by default the shared ones are used. Without `broker` there is no NATS. `clocks` says by how much the
    clocks of the next process are wrong. Further `settings` are those of the configuration, such as `lease="2"`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if script is not None:
        file = folder / "script.toml"
        file.write_text(script)
        settings["script"] = str(file)
    brokers = (nats or nats_server()).url if broker else None
    here = Cluster(folder, postgres or server(), brokers, settings, clocks)
    try:
        for _ in range(apis):
            here.api()
        for _ in range(workers):
            here.worker()
        for program in [*here.apis, *here.workers]:
            program.ready()
        yield here
    except BaseException:
        print(here.log())
        raise
    finally:
        here.close()
