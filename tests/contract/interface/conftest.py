"""Every test of the interface runs over every way to reach it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runstead.domain.model_call import ModelRequest
from runstead.llm.script import Turn
from runstead.llm.scripted import ScriptedModel
from tests.contract.interface.place import Place
from tests.contract.interface.ways import WAYS, Way


class Script:
    """The model's turns, which a test may add while the engine is running."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def __call__(self, request: ModelRequest) -> Turn:
        return self.turns.pop(0) if self.turns else "Hello!"


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__.strip("_"))
def way(request: pytest.FixtureRequest) -> Way:
    found: Way = request.param
    return found


@pytest.fixture
async def place(way: Way, script: Script, tmp_path: Path) -> AsyncIterator[Place]:
    model = ScriptedModel(script)
    async with way(tmp_path / "rs.db", model) as rs:
        yield Place(rs, model, script.turns)
