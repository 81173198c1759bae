"""Programs that drive a server with a client of another language. Each prints what happened as one JSON object."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

__all__ = ["HERE", "fetched", "play"]

HERE = Path(__file__).parent


def fetched(client: Path, *programs: str) -> Path:
    """The folder of a client. The test is skipped if the machine lacks its language, or it could not be fetched."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    if not client.is_dir():
        pytest.skip(f"the client {client.name} could not be fetched")
    return client


def play(*command: str | Path, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> Any:
    """The output of a program: one JSON object in its last line. Its working folder is `folder`."""
    variables = {**os.environ, **(environment or {})}
    ended = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, timeout=50, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout.strip().splitlines()[-1])
