"""The `runstead worker` process starts, executes runs and stops, and names what it lacks."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from runstead import Run, Status, connect
from runstead.wire.event import EventName
from runstead.wire.struct import SortOrder
from tests.cli.conftest import QUICK, begin
from tests.cli.test_missing_libraries import without
from tests.support.cluster import Cluster, cluster
from tests.support.waiting import PATIENCE

Command = Callable[..., "CompletedProcess[str]"]
ENDLESS = f'words_per_second = 5\n[[answer]]\nsay = "{"and " * 1000}"\n'
SECRET = "postgresql://me:s3cret@127.0.0.1:1/runs"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, script=ENDLESS) as here:
        yield here


def until_first_delta(here: Cluster, run: Run) -> None:
    with connect(here.urls[0]) as client, client.run_events(run.thread_id, run.id) as events:
        next(event for event in events if event.event == EventName.MESSAGE_DELTA)


def test_a_stopped_worker_releases_its_runs_to_other_workers(here: Cluster, tmp_path: Path) -> None:
    [worker] = here.workers
    assert worker.line == f"Runstead works: up to 5000 runs at once (process {worker.pid})\n"
    with connect(here.urls[0]) as client:
        run = begin(client)
        until_first_delta(here, run)
        (tmp_path / "quick.toml").write_text(QUICK)
        here.worker(script=str(tmp_path / "quick.toml")).ready()
        assert worker.stop() == 0
        assert client.wait(run, timeout=PATIENCE).status is Status.COMPLETED
        steps = client.run_steps(run.thread_id, run.id, order=SortOrder.ASC)
        assert [step.status for step in steps] == ["failed", "completed"]
    assert " INFO runstead.worker stopping signal=SIGTERM\n" in worker.log
    assert worker.log.endswith(" INFO runstead.worker stopped\n")


def test_a_worker_serves_its_probes(here: Cluster) -> None:
    worker = here.worker(health_port="0")
    worker.ready()
    url = worker.wait_for_log("runstead.worker health url=").partition("url=")[2].strip().removesuffix("/ready")
    with urlopen(f"{url}/health", timeout=PATIENCE) as alive:
        assert json.load(alive)["status"] == "ok"
    with urlopen(f"{url}/ready", timeout=PATIENCE) as ready:
        assert json.load(ready) == {"status": "ok", "store": "ok", "broker": "ok"}
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{url}/v1/threads", timeout=PATIENCE)
    assert worker.stop() == 0


def test_roles_that_cannot_work_are_refused(runstead: Command) -> None:
    for arguments in (["worker"], ["serve", "--roles", "api"]):
        done = runstead(*arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: A SQLite file belongs to one process, which needs ")
    done = runstead("serve", "--roles", "worker", "--database", "postgresql://127.0.0.1:1/runs")
    assert done.returncode == 1
    assert done.stderr == "Error: A server needs the role 'api'. For a worker without an API, use: runstead worker\n"


@pytest.mark.parametrize("command", [["worker"], ["migrate"]])
def test_an_unreachable_database_ends_the_process_and_its_password_is_not_shown(
    command: list[str], runstead: Command
) -> None:
    done = runstead(*command, RUNSTEAD_DATABASE=SECRET, RUNSTEAD_LOG_LEVEL="debug")
    assert done.returncode == 1
    assert "postgresql://127.0.0.1:1/runs: " in done.stderr.splitlines()[-1]
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("missing", "arguments", "words"),
    [
        ("asyncpg", ["worker", "--database", SECRET], "To use PostgreSQL, asyncpg must be installed"),
        ("asyncpg", ["migrate", "--database", SECRET], "To use PostgreSQL, asyncpg must be installed"),
        ("nats", ["serve", "--broker", "nats://127.0.0.1:1"], "To use NATS, nats must be installed"),
    ],
)
def test_a_missing_library_is_named_with_its_extra(
    missing: str, arguments: list[str], words: str, runstead: Command, tmp_path: Path
) -> None:
    program = without(missing) + "from runstead.__main__ import main\nmain()"
    done = runstead(*arguments, program=program, RUNSTEAD_DATA=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == f"Error: {words}: pip install 'runstead[cluster]'\n"
