"""`runstead demo` runs with the embedded model."""

import re
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

pytest.importorskip("xllamacpp")


def test_the_demo_shows_a_run_a_tool_call_a_citation_and_recovery_from_a_crash(
    runstead: Callable[..., "CompletedProcess[str]"],
) -> None:
    done = runstead("demo", RUNSTEAD_HOST="0.0.0.0", RUNSTEAD_SCRIPT="of-the-users-own.toml")
    shown = done.stdout
    assert (done.returncode, done.stderr) == (0, "")
    assert 'The run asks for get_weather({"city":"Oslo"})' in shown
    assert "Oslo is sunny" in shown or "sunny" in shown
    assert "【0:0†lighthouse.md】 cites lighthouse.md:" in shown
    assert "is cleaned every 14 days" in shown.partition("cites lighthouse.md:")[2]
    [killed] = re.findall(r"kill -9 (\d+): the server is gone", shown)
    [again] = re.findall(r"as process (\d+)\.", shown)
    assert killed != again
    assert re.findall(r"run_\w+ is (\w+)", shown) == ["completed"] * 4
    [crashed] = re.findall(
        r"\(This message is closed as incomplete, run_failed\.\)(.*)What to try next", shown, re.DOTALL
    )
    assert re.findall(r"│ message *│ (\w+)", crashed) == ["failed", "completed"]
    assert "runstead serve --model-url URL" in shown
