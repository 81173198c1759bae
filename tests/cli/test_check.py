"""`runstead check` reports violated invariants, and exits with 1 if it finds any."""

import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from runstead.client import Client
from tests.cli.conftest import SLOW, Serve, Served, begin
from tests.support.postgres import place, server

Command = Callable[..., "subprocess.CompletedProcess[str]"]
ALL_IS_WELL = (
    r"Examined 1 run \(0 of them active\), 1 step, 1 message, \d+ events, 0 files, 0 vector stores: 0 violations\.\n"
)


def ran(serve: Serve, client_of: Callable[[Served], Client]) -> None:
    """Complete a run on a server, then stop the server."""
    with serve() as served:
        client = client_of(served)
        assert client.wait(begin(client), timeout=20).status == "completed"
        served.process.terminate()
        assert served.ended()[0] == 0


def test_a_valid_folder_passes(
    serve: Serve, client_of: Callable[[Served], Client], runstead: Command, tmp_path: Path
) -> None:
    ran(serve, client_of)
    said = runstead("check", "--data", str(tmp_path / "data"), "--drained")
    assert said.returncode == 0, said.stderr
    assert re.fullmatch(ALL_IS_WELL, said.stdout)


def test_violations_are_listed_and_fail_the_command(
    serve: Serve, client_of: Callable[[Served], Client], runstead: Command, tmp_path: Path
) -> None:
    ran(serve, client_of)
    with sqlite3.connect(tmp_path / "data" / "runstead.db") as connection:
        connection.execute("DELETE FROM steps")
    connection.close()
    said = runstead("check", "--data", str(tmp_path / "data"))
    assert said.returncode == 1
    first, *_, last = said.stdout.splitlines()
    assert re.fullmatch(r"run_\w+: .+", first)
    assert re.search(r": [1-9] violations?\.$", last)


def test_after_a_kill_the_runs_to_recover_are_counted(
    serve: Serve, client_of: Callable[[Served], Client], runstead: Command, tmp_path: Path
) -> None:
    with serve(SLOW) as served:
        client = client_of(served)
        run = begin(client)
        with client.run_events(run.thread_id, run.id) as stream:
            next(event for event in stream if event.event == "thread.message.delta")
            served.process.kill()
            served.ended()
    said = runstead("check", "--data", str(tmp_path / "data"))
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1] == "1 run is owned by an expired worker: the next worker recovers it."
    said = runstead("check", "--data", str(tmp_path / "data"), "--drained")
    assert said.returncode == 1
    assert f"{run.id}: the run is in_progress, but no worker is running" in said.stdout


def test_a_folder_in_use_is_refused(serve: Serve, runstead: Command, tmp_path: Path) -> None:
    with serve() as served:
        said = runstead("check", "--data", str(tmp_path / "data"))
        assert said.returncode == 1
        assert f"is in use by process {served.process.pid}" in said.stderr


def test_a_missing_folder_is_an_error_and_not_created(runstead: Command, tmp_path: Path) -> None:
    said = runstead("check", "--data", str(tmp_path / "nothing"))
    assert said.returncode == 1
    assert f"{tmp_path / 'nothing' / 'runstead.db'} does not exist" in said.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_postgresql_database_is_checked_while_in_use(
    serve: Serve, client_of: Callable[[Served], Client], runstead: Command, tmp_path: Path
) -> None:
    database = ("--database", server().url, "--installation", place(tmp_path))
    with serve("[[answer]]\nsay = 'The end.'\n", *database) as served:
        client = client_of(served)
        assert client.wait(begin(client), timeout=20).status == "completed"
        said = runstead("check", *database)
        assert said.returncode == 0, said.stderr
        assert re.fullmatch(ALL_IS_WELL, said.stdout)
