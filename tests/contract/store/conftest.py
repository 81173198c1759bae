"""A store of every kind."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from runstead.store.port import Store
from tests.contract.store.adapters import ADAPTERS, Adapter

DURABLE = [adapter for adapter in ADAPTERS if adapter.durable]


def named(adapter: Adapter) -> str:
    return adapter.name


@pytest.fixture(params=ADAPTERS, ids=named)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    given: Adapter = request.param
    return given


@pytest.fixture
async def store(adapter: Adapter, tmp_path: Path) -> AsyncIterator[Store]:
    store = adapter.make(tmp_path)
    await store.start()
    yield store
    await store.stop()


def makes(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    adapter: Adapter = request.param
    return lambda: adapter.make(tmp_path)


@pytest.fixture(params=DURABLE, ids=named)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """Makes stores, not started, over one and the same place."""
    return makes(request, tmp_path)


@pytest.fixture(params=[adapter for adapter in DURABLE if adapter.sole], ids=named)
def make_sole(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """The same, of those that one process owns."""
    return makes(request, tmp_path)


@pytest.fixture(params=[adapter for adapter in DURABLE if not adapter.sole], ids=named)
def make_shared(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    """The same, of those that any number of processes use at once."""
    return makes(request, tmp_path)
