"""Files, vector stores and `file_search` with unmodified clients."""

import os
import sys
from pathlib import Path

import pytest

from runstead.llm.scripted import Call
from runstead.store.sqlite import SqliteStore
from runstead.worker.application import run
from tests.compat.clients.programs import HERE, fetched, play
from tests.compat.conftest import Start
from tests.compat.script import Script
from tests.support.search_world import search_parts
from tests.support.worlds import adapters_of

HANDBOOK = "The seal of the pump wears out. 🐝 Replace it every 400 hours."
ASK = Call("file_search", '{"queries":["How often is the seal replaced?"]}')
MARKER = "【0:0†pump.txt】"
ANSWER = f"🐝 Every 400 hours{MARKER}."


@pytest.fixture
def start(tmp_path: Path, model: Script) -> Start:
    """The application searches by words alone: a model of vectors takes seconds to load."""
    parts = search_parts(SqliteStore(tmp_path / "runstead.db"))
    return lambda: run(adapters_of(model=model.model, **parts))


@pytest.fixture
def answering(model: Script) -> Script:
    """The model searches once, and cites the first passage."""
    model.calls(ASK)
    model.says(*ANSWER.partition("0†"))
    return model


@pytest.mark.usefixtures("answering")
@pytest.mark.parametrize(("prefix", "flavour"), [("/v1", ""), ("", "azure")])
def test_the_node_client_asks_about_files(clients: Path, root: str, prefix: str, flavour: str) -> None:
    folder = fetched(clients / "node", "node")
    seen = play("node", HERE / "node" / "documents.mjs", folder, root + prefix, flavour)
    assert seen == {
        "file": ["warranty.txt", 29, "processed", 3600],
        "retrieved": True,
        "listed": 1,
        "content": True,
        "indexed": ["completed", None, "static"],
        "batch": ["completed", 2, 1],
        "failed": ["unsupported_file"],
        "results": [["pump.txt", True, {"year": 2026}, True]],
        "counts": 4,
        "run": ["completed", ANSWER, [MARKER], [MARKER]],
        "quoted": [HANDBOOK, True],
        "removed": True,
        "deleted": [True, True],
        "missing": [[404, "No such File object: F"], [404, "No vector store found with id 'S'."]],
    }


@pytest.mark.parametrize("version", ["azure", "azure-preview"])
@pytest.mark.parametrize("prefix", ["/api/projects/p", "/v1"])
def test_the_azure_client_asks_about_files(clients: Path, root: str, model: Script, version: str, prefix: str) -> None:
    for _ in range(2):
        model.calls(ASK)
        model.says(ANSWER)
    folder = fetched(clients / version)
    program = HERE / "azure" / "documents.py"
    modules = os.pathsep.join((str(folder), str(HERE.parents[2])))
    seen = play(sys.executable, program, root + prefix, environment={"PYTHONPATH": modules})
    answered = {"run": ["completed", ANSWER], "cited": [MARKER], "files": ["FILE"], "found": [["FILE", HANDBOOK]]}
    assert seen == {
        "file": ["pump.txt", 64, "processed"],
        "files": 3,
        "saved": True,
        "store": ["completed", "Handbooks", 1],
        "added": "completed",
        "batch": ["failed", 1],
        "failed": ["unsupported_file"],
        "stores": [True],
        "indexed": 3,
        "asked": answered,
        "attached": answered,
        "deleted": [
            ["ResourceNotFoundError", "No vector store found with id 'ID'."],
            ["ResourceNotFoundError", "No such File object: ID"],
        ],
    }


def test_the_kotlin_client_asks_about_files(clients: Path, server: str, model: Script) -> None:
    for _ in range(2):
        model.calls(ASK)
        model.says(ANSWER)
    folder = fetched(clients / "kotlin", "java")
    seen = play("java", "-cp", f"{folder / 'classes'}:{folder / 'lib'}/*", "DocumentsKt", server)
    answered = ["completed", ANSWER, MARKER, True, [True]]
    assert seen == {
        "file": ["pump.txt", 64, True, True],
        "content": [True],
        "added": [True, True],
        "batch": ["completed", 1, 1],
        "cancelled": ["completed"],
        "failed": ["invalid_file"],
        "store": ["Manuals", "completed", 3, 1, "support"],
        "files": ["failed", "completed", "completed"],
        "listed": [3, [True]],
        "asked": answered,
        "attached": answered,
        "deleted": [True, True, True],
        "missing": [None, None],
    }


def test_the_go_client_searches_files(clients: Path, server: str) -> None:
    seen = play(fetched(clients / "go") / "flows", server, "documents")
    assert seen == {
        "file": ["pump.txt", 64, "processed", True],
        "indexed": ["completed", 2026],
        "batch": ["completed", 1, 1],
        "results": [["pump.txt", HANDBOOK, True]],
        "stored": HANDBOOK,
        "deleted": [True, True, True],
        "missing": 404,
    }


@pytest.mark.usefixtures("answering")
def test_the_java_client_asks_about_files(clients: Path, server: str) -> None:
    folder = fetched(clients / "java", "java")
    seen = play("java", "-cp", f"{folder}:{folder / 'lib'}/*", "Documents", server)
    assert seen == {
        "file": ["pump.txt", 64, True],
        "indexed": "completed",
        "results": [["pump.txt", HANDBOOK, True]],
        "stored": HANDBOOK,
        "answer": ANSWER,
        "cited": [True],
        "searched": [["pump.txt", HANDBOOK]],
        "unnamed": "file",
        "deleted": [True, True, True],
    }
