"""Help texts are complete, fit a terminal, and load quickly."""

import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import click
import msgspec
import pytest
from click.testing import CliRunner

from runstead.cli.main import main
from runstead.config import Config

Command = Callable[..., "CompletedProcess[str]"]


def help_of(*command: str) -> str:
    return CliRunner().invoke(main, [*command, "--help"], prog_name="runstead", terminal_width=80).output


def test_every_command_is_listed_with_its_summary() -> None:
    shown = help_of()
    assert "serve    Serve the Assistants API from this machine." in shown
    assert "worker   Execute the runs of servers on the same database." in shown
    assert "migrate  Apply the database migrations of this version." in shown
    assert "demo     Show a real run on a thread, and how it survives a crash." in shown


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_option_has_a_help_text(name: str) -> None:
    command = main.commands[name]
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []
    assert max(map(len, help_of(name).splitlines())) <= 80


@pytest.mark.parametrize("name", ["serve", "worker", "migrate"])
def test_every_flag_is_a_setting(name: str) -> None:
    flags = {option.name for option in main.commands[name].params} - {"file", "check"}
    assert flags <= set(Config.__struct_fields__)


def test_documented_defaults_are_the_real_ones() -> None:
    shown = " ".join(help_of("serve").split())
    defaults = {field.name: field.default for field in msgspec.structs.fields(Config)}
    for name in ("host", "port", "log_level"):
        assert f"[default: {defaults[name]}]" in shown
    assert f"[default: ./{defaults['data']}]" in shown.replace("./runstead- data", "./runstead-data")


def test_version_prints_the_version() -> None:
    assert "0." in CliRunner().invoke(main, ["--version"]).output


def test_help_imports_no_server_library(runstead: Command) -> None:
    program = """
import sys
from runstead.cli.main import main
main(["serve", "--help"], standalone_mode=False)
print(sorted({"aiohttp", "rich", "starlette", "uvicorn", "uvloop"} & set(sys.modules)))
"""
    assert runstead(program=program).stdout.splitlines()[-1] == "[]"


def test_python_m_runstead_is_the_same_command(runstead: Command) -> None:
    assert sys.executable
    done = runstead("--help")
    assert done.returncode == 0
    assert "Usage: python -m runstead" in done.stdout
