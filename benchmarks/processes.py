"""The processes under load: started for one section, measured through /proc, stopped at its end."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from time import perf_counter, sleep

HOST = "127.0.0.1"
READY_WITHIN = 30.0
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Server:
    """A running process that answers on `port`."""

    process: subprocess.Popen[str]
    port: int
    ready_after: float = 0.0
    """Seconds from its start to its first `GET /health` with status 200."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    def cpu(self) -> float:
        """Seconds of processor time so far."""
        return seconds_used(self.process.pid)

    def resident(self) -> int:
        """Bytes of memory it holds now."""
        return resident(self.process.pid)


@contextmanager
def small_server(module: str, *arguments: str) -> Iterator[Server]:
    """A server of this package; it prints its port when it listens."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with terminating(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout
        yield Server(process, int(process.stdout.readline()))


@contextmanager
def runstead(model: Server, data: Path, **settings: str) -> Iterator[Server]:
    """`runstead serve` on the folder `data`, ready. Additional settings are passed in the environment."""
    port = free_port()
    options = {
        "--host": HOST,
        "--port": str(port),
        "--data": str(data),
        "--model-url": model.url,
        "--model-key": "none",
    }
    command = [sys.executable, "-m", "runstead", "serve", *(word for option in options.items() for word in option)]
    environment = os.environ | {f"RUNSTEAD_{name.upper()}": value for name, value in settings.items()}
    with tempfile.TemporaryFile("w+") as log:
        started = perf_counter()
        with terminating(subprocess.Popen(command, stdout=log, stderr=log, text=True, env=environment)) as process:
            try:
                _await_health(process, port)
            except TimeoutError:
                log.seek(0)
                raise SystemExit(f"The server did not become ready:\n{log.read()[-4000:]}") from None
            yield Server(process, port, perf_counter() - started)


@contextmanager
def terminating(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """The process, terminated at the end of the block, and killed if it does not stop."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()


def _await_health(process: subprocess.Popen[str], port: int) -> None:
    deadline = perf_counter() + READY_WITHIN
    while perf_counter() < deadline and process.poll() is None:
        asking = HTTPConnection(HOST, port, timeout=1)
        try:
            asking.request("GET", "/health")
            if asking.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            asking.close()
        sleep(0.005)
    raise TimeoutError


def resident(pid: int | str) -> int:
    """Bytes of resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def seconds_used(pid: int, *, ended_children: bool = False) -> float:
    """Seconds of processor time of a process, optionally with those of its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11 : 15 if ended_children else 13]) / TICKS


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])
