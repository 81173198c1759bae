"""The official Node client."""

from pathlib import Path

import pytest

from runstead.llm.scripted import call
from tests.compat.clients.programs import HERE, fetched, play
from tests.compat.script import Script


@pytest.mark.parametrize(("prefix", "flavour"), [("/v1", ""), ("/openai/v1", ""), ("", "azure")])
def test_the_flows_of_the_node_client(clients: Path, root: str, model: Script, prefix: str, flavour: str) -> None:
    model.says("Hello", " there!")
    model.says("Hello", " again!")
    model.calls(call("weather", city="Oslo"))
    model.says("Rain.")
    model.calls(call("weather", city="Rome"))
    folder = fetched(clients / "node", "node")
    seen = play("node", HERE / "node" / "flows.mjs", folder, root + prefix, flavour)
    assert seen == {
        "assistants": [False, True],
        "polled": ["completed", 15],
        "messages": [["user", "Hi"], ["assistant", "Hello there!"]],
        "steps": ["message_creation"],
        "deltas": ["Hello", " again!"],
        "streamed": "completed",
        "text": "Hello again!",
        "call": ["requires_action", "weather", {"city": "Oslo"}],
        "locked": [400, "Can't add messages to T while a run R is active."],
        "events": [
            "thread.run.step.completed", "thread.run.queued", "thread.run.in_progress", "thread.run.step.created",
            "thread.run.step.in_progress", "thread.message.created", "thread.message.in_progress",
            "thread.message.delta", "thread.message.completed", "thread.run.step.completed", "thread.run.completed",
        ],
        "answered": "completed",
        "cancelled": "cancelled",
        "missing": ["NotFoundError", 404],
        "deleted": [True, True],
    }  # fmt: skip
