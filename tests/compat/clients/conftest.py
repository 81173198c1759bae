"""Unmodified clients of other languages, which `make clients` fetches into a folder outside of this repository.

Without `make clients` their tests are skipped: they need the network, and some seconds to start each.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

HERE = Path(__file__).parent
Play: TypeAlias = Callable[..., dict[str, Any]]
"""Runs a program to its end, and gives the JSON object that it printed last."""


@pytest.fixture(scope="session")
def clients() -> Path:
    """The folder of the fetched clients."""
    folder = os.environ.get("RUNSTEAD_CLIENTS")
    if not folder:
        pytest.skip("the clients of other languages are fetched and tried by `make clients`")
    return Path(folder)


@pytest.fixture
def root(server: str) -> str:
    """The address of the server, without a prefix of the API."""
    return server.removesuffix("/v1")


def found(client: Path, program: str) -> Path:
    """The folder of a client. Skips the test if the machine has neither the language nor the client."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    if not client.is_dir():
        pytest.skip(f"the client could not be fetched into {client}")
    return client


def play(command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What a program printed: one JSON object in its last line."""
    ended = subprocess.run(
        command, env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=50, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    printed: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return printed
