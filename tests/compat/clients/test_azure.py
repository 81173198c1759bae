"""The Python client of Azure AI Foundry, `azure-ai-agents`: a release, and a preview that sends more."""

import sys
from pathlib import Path

import pytest

from runstead.llm.scripted import call
from tests.compat.clients.programs import HERE, fetched, play
from tests.compat.script import Script

STEP = ["thread.run.step.created", "thread.run.step.in_progress"]
MESSAGE = ["thread.message.created", "thread.message.in_progress", "thread.message.delta", "thread.message.completed"]


@pytest.mark.parametrize("version", ["azure", "azure-preview"])
@pytest.mark.parametrize("prefix", ["/api/projects/p", "/v1"])
def test_the_flows_of_the_azure_client(clients: Path, root: str, model: Script, version: str, prefix: str) -> None:
    model.says("Hello there!")
    for answer in ("Rain, polled.", "Rain, streamed.", "Rain, by hand."):
        model.calls(call("weather", city="Oslo"))
        model.says(answer)
    folder = fetched(clients / version)
    program = HERE / "azure" / "flows.py"
    seen = play(sys.executable, program, root + prefix, environment={"PYTHONPATH": str(folder)})
    assert seen["plain"] == {
        "name": "briefer",
        "status": "completed",
        "texts": [["user", "Hi"], ["assistant", "Hello there!"]],
        "steps": ["message_creation"],
        "agents": [True],
        "threads": 2,
        "empty": [],
    }
    assert seen["functions"] == {
        "polled": ["completed", [["user", "Oslo?"], ["assistant", "Rain, polled."]]],
        "events": [
            "thread.run.created", "thread.run.queued", "thread.run.in_progress",
            *STEP, *["thread.run.step.delta"] * 3, "thread.run.requires_action", "done",
            "thread.run.step.completed", "thread.run.queued", "thread.run.in_progress",
            *STEP, *MESSAGE, "thread.run.step.completed", "thread.run.completed", "done",
        ],
        "streamed": [["user", "Oslo?"], ["assistant", "Rain, streamed."]],
        "by_hand": "queued",
    }  # fmt: skip
    refused = seen["errors"]
    assert refused["missing"] == [
        "ResourceNotFoundError", 404, "No assistant found with id 'asst_000000000000000000000000'.",
    ]  # fmt: skip
    assert refused["resources"][:2] == refused["tool"][:2] == ["HttpResponseError", 400]
    assert refused["resources"][2].endswith("Remove 'tool_resources.code_interpreter'.")
    assert refused["tool"][2].startswith("Invalid value: 'bing_grounding'. Supported values are: 'function', ")
