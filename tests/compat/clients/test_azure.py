"""The Python client of Azure AI Foundry, `azure-ai-agents`: a release, and a preview that sends more."""

import sys
from pathlib import Path

import pytest

from runstead.llm.scripted import call
from tests.cli.conftest import Served
from tests.compat.clients.programs import HERE, fetched, play
from tests.compat.script import Script
from tests.support.certificate import certificate

SCRIPT = '[[answer]]\nwhen = "Oslo"\ncall.weather = { city = "Oslo" }\nsay = "Rain."\n'
STEP = ["thread.run.step.created", "thread.run.step.in_progress"]
MESSAGE = ["thread.message.created", "thread.message.in_progress", "thread.message.delta", "thread.message.completed"]


@pytest.mark.parametrize("version", ["azure", "azure-preview"])
def test_a_token_goes_over_https(clients: Path, tmp_path: Path, version: str) -> None:
    file, key = certificate(tmp_path)
    script = tmp_path / "script.toml"
    script.write_text(SCRIPT)
    folder = fetched(clients / version)
    tls = ["--tls-cert", str(file), "--tls-key", str(key)]
    with Served("--data", str(tmp_path / "data"), "--script", str(script), *tls) as served:
        endpoint = served.url + "/api/projects/p"
        program = HERE / "azure" / "flows.py"
        seen = play(sys.executable, program, endpoint, str(file), environment={"PYTHONPATH": str(folder)})
    assert seen["functions"]["streamed"] == [["user", "Oslo?"], ["assistant", "Rain."]]


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
    assert refused["resources"] == ["ResourceNotFoundError", 404, "No such File object: assistant-1"]
    assert refused["tool"][:2] == ["HttpResponseError", 400]
    assert refused["tool"][2].startswith("Invalid value: 'bing_grounding'. Supported values are: 'function', ")
