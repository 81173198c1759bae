"""Every test of the interface runs on every deployment."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from runstead.domain.model_call import ModelRequest
from runstead.llm.scripted import ScriptedModel, Turn
from tests.contract.interface.deployments import DEPLOYMENTS, Deployment
from tests.contract.interface.harness import Harness


class Script:
    """The model's turns, which a test may add while the engine is running."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def __call__(self, request: ModelRequest) -> Turn:
        return self.turns.pop(0) if self.turns else "Hello!"


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(params=DEPLOYMENTS, ids=lambda deployment: deployment.__name__.strip("_"))
def deployment(request: pytest.FixtureRequest) -> Deployment:
    found: Deployment = request.param
    return found


@pytest.fixture
async def harness(deployment: Deployment, script: Script, tmp_path: Path) -> AsyncIterator[Harness]:
    model = ScriptedModel(script)
    async with deployment(tmp_path / "rs.db", model) as rs:
        yield Harness(rs, model, script.turns)
