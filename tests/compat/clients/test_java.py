"""The official Java client. It sends null as a tool's output, for a function without a result."""

from pathlib import Path

from runstead.llm.scripted import call
from tests.compat.clients.programs import fetched, play
from tests.compat.script import Script


def test_the_flows_of_the_java_client(clients: Path, server: str, model: Script) -> None:
    model.says("Hello", " there!")
    model.says("Hello", " again!")
    model.calls(call("weather", city="Oslo"))
    model.says("Nothing came back.")
    model.calls(call("weather", city="Rome"))
    folder = fetched(clients / "java", "java")
    seen = play("java", "-cp", f"{folder}:{folder / 'lib'}/*", "Flows", server)
    assert seen == {
        "assistants": 1,
        "polled": ["completed", 15, ["Hi", "Hello there!"]],
        "deleted": True,
        "streamed": "Hello again!",
        "asked": ["requires_action", "weather", '{"city":"Oslo"}'],
        "answered": "completed",
        "cancelled": "cancelled",
        "missing": 404,
    }
