"""An engine in this process, over a file."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import runstead
from runstead import AssistantRequest, MessageRequest, Run, RunRequest, ThreadRequest
from runstead.client import Client
from runstead.llm.scripted import Script, ScriptedModel

Opener = Callable[[Script], Client]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


@pytest.fixture
def open_engine(database: Path) -> Iterator[Opener]:
    """Opens it with a script; closed at the end of the test if it was not before."""
    with ExitStack() as closing:
        yield lambda script: closing.enter_context(runstead.open(database, model=ScriptedModel(script)))


def begin(client: Client, text: str = "Hi") -> Run:
    """A run on a thread of its own."""
    assistant = client.create_assistant(AssistantRequest(model="any"))
    thread = client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content=text)]))
    return client.create_run(thread.id, RunRequest(assistant_id=assistant.id))
