"""The commands of docs/cluster.md, typed as they are, start a cluster."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from runstead import Status, connect
from tests.cli.conftest import begin
from tests.support import postgres
from tests.support.markdown import blocks
from tests.support.waiting import PATIENCE
from tests.test_docs_code import model_server

PAGE = "docs/cluster.md"
LINES = {block.marks[0]: block.text.splitlines() for block in blocks(PAGE) if block.marks and block.language == "bash"}

Type = Callable[[str], Path]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL's user can read, because PostgreSQL refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="runstead-by-hand-"))
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def type_(folder: Path) -> Iterator[Type]:
    """Types a line in a new terminal; returns the file of its output. All terminals are closed at the end."""
    programs = [str(postgres._programs()), str(Path(sys.executable).parent), os.environ["PATH"]]
    nobody = ["setpriv", "--reuid=nobody", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    with ExitStack() as closing:

        def type_(line: str) -> Path:
            said = folder / f"said-{line.split(maxsplit=1)[0]}-{monotonic()}"
            process = subprocess.Popen(
                [*(nobody if "initdb" in line else []), "bash", "-c", line],
                cwd=folder,
                env=os.environ | {"PATH": ":".join(programs), "LC_ALL": "C"},
                stdout=closing.enter_context(said.open("wb")),
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            closing.callback(close, process)
            return said

        yield type_


def close(process: "subprocess.Popen[bytes]") -> None:
    """Close a terminal, and end the processes in it."""
    for how in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def until(true: Callable[[], object], said: Path) -> None:
    deadline = monotonic() + PATIENCE
    while not true():
        assert monotonic() < deadline, said.read_text()
        sleep(0.02)


def free_ports(number: int) -> list[int]:
    with ExitStack() as bound:
        sockets = [bound.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [each.getsockname()[1] for each in sockets]


def test_three_commands_start_a_cluster_and_two_more_extend_it(type_: Type) -> None:
    database, broker, first, second = free_ports(4)
    with model_server() as models:

        def here(line: str) -> str:
            line = line.replace("5432", str(database)).replace("4222", str(broker)).replace("8643", str(second))
            line = line.replace("http://127.0.0.1:11434/v1", models)
            return line.replace("runstead serve --database", f"runstead serve --port {first} --database")

        postgresql, nats, serve = [here(line) for line in LINES["by-hand"]]
        for line, port in ((postgresql, database), (nats, broker), (serve, first)):
            said = type_(line)
            until(lambda port=port: listens(port), said)  # type: ignore[misc]  # a default is bound at once
        with connect(f"http://127.0.0.1:{first}") as client:
            assert client.wait(begin(client), timeout=PATIENCE).status is Status.COMPLETED
        api, worker = [here(line) for line in LINES["more-by-hand"]]
        said = type_(api)
        until(lambda: listens(second), said)
        said = type_(worker)
        until(lambda: "Runstead works" in said.read_text(), said)
        with connect(f"http://127.0.0.1:{second}") as client:
            assert client.wait(begin(client), timeout=PATIENCE).status is Status.COMPLETED


def test_the_documented_configuration_of_nats_is_valid(folder: Path) -> None:
    [shown] = [block.text for block in blocks(PAGE) if "sync_interval" in block.text]
    file = folder / "nats.conf"
    file.write_text(shown)
    server = Path(sys.executable).parent / "nats-server"
    checked = subprocess.run([server, "-t", "-c", file], capture_output=True, text=True, timeout=20, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
