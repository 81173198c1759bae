"""Files, vector stores and `file_search` with unmodified clients."""

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
    model.calls(Call("file_search", '{"queries":["How often is the seal replaced?"]}'))
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
