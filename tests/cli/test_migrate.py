"""`runstead migrate` lists the migrations that it applied, or that are missing."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.postgres import place, server

Command = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(params=["folder", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    if request.param == "folder":
        return {"RUNSTEAD_DATA": str(tmp_path / "data")}
    return {"RUNSTEAD_DATABASE": server().url, "RUNSTEAD_INSTALLATION": place(tmp_path)}


def test_missing_migrations_are_listed_then_applied_once(settings: dict[str, str], runstead: Command) -> None:
    looked = runstead("migrate", "--check", **settings)
    assert looked.returncode == 1
    assert looked.stdout.splitlines()[0] == "Missing: 0001_initial"
    done = runstead("migrate", **settings)
    assert (done.returncode, done.stdout) == (0, looked.stdout.replace("Missing", "Applied"))
    for arguments in ([], ["--check"]):
        again = runstead("migrate", *arguments, **settings)
        assert (again.returncode, again.stdout) == (0, "Up to date.\n")
