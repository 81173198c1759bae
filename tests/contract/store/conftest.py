"""A store of every kind."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from runstead.store.port import Store
from tests.contract.store.adapters import ADAPTERS, Adapter


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    given: Adapter = request.param
    return given


@pytest.fixture
async def store(adapter: Adapter, tmp_path: Path) -> AsyncIterator[Store]:
    store = adapter.make(tmp_path)
    await store.start()
    yield store
    await store.stop()


@pytest.fixture(params=[adapter for adapter in ADAPTERS if adapter.durable], ids=lambda adapter: adapter.name)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes stores, not started, over one and the same place."""
    adapter: Adapter = request.param
    return lambda: adapter.make(tmp_path)
