"""`runstead check` says what is wrong with a database, and ends with 1 if anything is."""

import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

from runstead.client import Client
from tests.cli.conftest import SLOW, Serve, Served, begin
from tests.support.postgres import place, server

Command = Callable[..., "subprocess.CompletedProcess[str]"]
ALL_IS_WELL = r"Examined 1 run \(0 of them active\), 1 step, 1 message, \d+ events: 0 violations\.\n"


def ran(serve: Serve, client_of: Callable[[Served], Client]) -> None:
    """A run, from a server that was stopped."""
    with serve() as served:
        client = client_of(served)
        assert client.wait(begin(client), timeout=20).status == "completed"
        served.process.terminate()
        assert served.ended()[0] == 0


def test_a_folder_in_which_nothing_is_wrong(
    serve: Serve, client_of: Callable[[Served], Client], runstead: Command, tmp_path: Path
) -> None:
    ran(serve, client_of)
    said = runstead("check", "--data", str(tmp_path / "data"), "--drained")
    assert said.returncode == 0, said.stderr
    assert re.fullmatch(ALL_IS_WELL, said.stdout)


def test_a_folder_in_which_something_is_wrong(
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


def test_a_folder_whose_server_was_killed_has_runs_to_be_rescued(
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
    assert said.stdout.splitlines()[-1] == "1 run is held by a worker that is gone: the next one takes it over."
    said = runstead("check", "--data", str(tmp_path / "data"), "--drained")
    assert said.returncode == 1
    assert f"{run.id}: the run is in_progress, but no worker is running" in said.stdout


def test_a_folder_in_use_is_not_read(serve: Serve, runstead: Command, tmp_path: Path) -> None:
    with serve() as served:
        said = runstead("check", "--data", str(tmp_path / "data"))
        assert said.returncode == 1
        assert f"is in use by process {served.process.pid}" in said.stderr


def test_a_folder_that_is_not_there_is_not_made(runstead: Command, tmp_path: Path) -> None:
    said = runstead("check", "--data", str(tmp_path / "nothing"))
    assert said.returncode == 1
    assert f"{tmp_path / 'nothing' / 'runstead.db'} is not there" in said.stderr
    assert not (tmp_path / "nothing").exists()


def test_a_database_is_read_while_it_is_in_use(
    serve: Serve, client_of: Callable[[Served], Client], runstead: Command, tmp_path: Path
) -> None:
    database = ("--database", server().url, "--installation", place(tmp_path))
    with serve("[[answer]]\nsay = 'The end.'\n", *database) as served:
        client = client_of(served)
        assert client.wait(begin(client), timeout=20).status == "completed"
        said = runstead("check", *database)
        assert said.returncode == 0, said.stderr
        assert re.fullmatch(ALL_IS_WELL, said.stdout)
