"""The Kotlin client of the original interface, `com.aallam.openai:openai-client`."""

from pathlib import Path

from runstead.llm.scripted import call
from tests.compat.clients.programs import fetched, play
from tests.compat.script import Script


def test_the_flows_of_the_kotlin_client(clients: Path, server: str, model: Script) -> None:
    model.says("Hello", " there!")
    model.says("Hello", " again!")
    model.calls(call("weather", city="Oslo"))
    model.says("Rain.")
    model.calls(call("weather", city="Rome"))
    folder = fetched(clients / "kotlin", "java")
    seen = play("java", "-cp", f"{folder / 'classes'}:{folder / 'lib'}/*", "FlowsKt", server)
    refusal = seen.pop("locked")
    assert seen == {
        "assistants": ["brief", "true"],
        "polled": ["completed", "Hi", "Hello there!"],
        "steps": ["MessageCreationStep"],
        "metadata": ["b"],
        "thread": ["true", "null"],
        "events": [
            "thread.run.created", "thread.run.queued", "thread.run.in_progress", "thread.run.step.created",
            "thread.run.step.in_progress", "thread.message.created", "thread.message.in_progress",
            *["thread.message.delta"] * 2, "thread.message.completed", "thread.run.step.completed",
            "thread.run.completed", "done",
        ],
        "unknown": [],
        "asked": ["requires_action", "weather", '{"city":"Oslo"}'],
        "answered": ["completed"],
        "cancelled": ["cancelled"],
        "deleted": ["true"],
    }  # fmt: skip
    assert refusal[0] == "400"
    assert refusal[1].startswith("Can't add messages to thread_")
