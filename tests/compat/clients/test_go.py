"""The official Go client."""

from pathlib import Path

import pytest

from runstead.llm.scripted import call
from tests.compat.clients.programs import fetched, play
from tests.compat.script import Script


@pytest.mark.parametrize(("prefix", "flavour"), [("/v1", ""), ("", "azure")])
def test_the_flows_of_the_go_client(clients: Path, root: str, model: Script, prefix: str, flavour: str) -> None:
    model.says("Hello", " there!")
    model.says("Hello", " again!")
    model.calls(call("weather", city="Oslo"))
    model.says("Nothing came back.")
    seen = play(fetched(clients / "go") / "flows", root + prefix, flavour)
    assert seen == {
        "polled": ["completed", 15, ["Hi", "Hello there!"]],
        "events": [
            "thread.run.created", "thread.run.queued", "thread.run.in_progress", "thread.run.step.created",
            "thread.run.step.in_progress", "thread.message.created", "thread.message.in_progress",
            *["thread.message.delta"] * 2, "thread.message.completed", "thread.run.step.completed",
            "thread.run.completed",
        ],
        "streamed": "Hello again!",
        "error": None,
        "asked": ["requires_action", "weather", '{"city":"Oslo"}'],
        "answered": "thread.run.completed",
        "missing": 404,
        "deleted": True,
    }  # fmt: skip
