"""An index of every kind."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from runstead.retrieval.index.port import Index
from tests.contract.index.adapters import ADAPTERS, Adapter


def named(adapter: Adapter) -> str:
    return adapter.name


@pytest.fixture(params=ADAPTERS, ids=named)
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Index]:
    adapter: Adapter = request.param
    await adapter.prepare(tmp_path)
    index = adapter.make(tmp_path)
    await index.start()
    yield index
    await index.stop()


@pytest.fixture(params=ADAPTERS, ids=named)
async def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Index]:
    """Makes indexes, not started, over one and the same place."""
    adapter: Adapter = request.param
    await adapter.prepare(tmp_path)
    return lambda: adapter.make(tmp_path)
