"""Every example, and every block of docs/client.md, runs against a real server and prints what is expected."""

import ast
import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
TUTORIAL = ROOT / "docs" / "client.md"
SCRIPT = """
[[answer]]
when = "sky"
say = "Blue light is scattered most."

[[answer]]
when = "lighthouse"
say = "The lamp went out. The keeper sang. The ships came home."

[[answer]]
when = "weather"
call.get_weather = { city = "Oslo" }
say = "They say: {output}"
"""
EXPECTED = {
    "all_items.py": ["The newest 3 messages; more: True", "Message 1\nMessage 2\nMessage 3\nMessage 4", "Message 7"],
    "first_run.py": ["The run is completed.", "Blue light is scattered most."],
    "many_at_once.py": ["What is 8 times 8? You said: What is 8 times 8?"],
    "official_client.py": ["The run is completed.", "Blue light is scattered most."],
    "streaming.py": ["The keeper sang.", "The run is completed and took"],
    "take_up.py": ["waits for get_weather.", "is completed."],
    "tools.py": ["tool_calls completed\nmessage_creation completed", '{"city":"Oslo","sky":"sunny","temperature":21}'],
    "without_a_server.py": ["The run is completed.", "Still there: Because blue light is scattered most."],
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose model answers from `SCRIPT`."""
    folder = tmp_path_factory.mktemp("examples")
    script = folder / "script.toml"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "runstead", "serve", "--port", "0", "--data", str(folder), "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split("/v1")[0].removeprefix("Runstead listens on ")
        finally:
            server.terminate()


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_prints_the_expected_text(url: str, name: str) -> None:
    environment = os.environ | {"RUNSTEAD_URL": url}
    command = [sys.executable, str(EXAMPLES / name)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)
    assert done.returncode == 0, done.stderr
    assert [text for text in EXPECTED[name] if text not in done.stdout] == [], done.stdout


def test_the_client_tutorial_runs_in_order(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RUNSTEAD_URL", url)
    blocks = re.findall(r"```python\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    assert len(blocks) >= 10
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks:
        code = compile(block, TUTORIAL.name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        waiting = eval(code, names)
        if waiting is not None:
            asyncio.run(waiting)
    names["client"].close()
    printed = capsys.readouterr().out
    assert "completed Blue light is scattered most." in printed
    assert "4 thread.run.step.created" in printed
    assert 'They say: {"city":"Oslo","sky":"sunny","days":1}' in printed
    assert "No run found with id 'run_unknown'. 404 req_" in printed
    assert "You said: Hello!" in printed
