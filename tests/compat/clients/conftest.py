"""Unmodified clients of other languages, which `make clients` fetches into a folder outside of this repository.

Without `make clients` their tests are skipped: they need the network, and some seconds each.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from runstead.api.app import Settings
from tests.compat.conftest import Server, Start


@pytest.fixture(scope="session")
def clients() -> Path:
    """The folder of the fetched clients."""
    folder = os.environ.get("RUNSTEAD_CLIENTS")
    if not folder:
        pytest.skip("the clients of other languages are fetched and tried by `make clients`")
    return Path(folder)


@pytest.fixture
def server(http: Server, start: Start) -> Iterator[str]:
    """The address of the API. Its streams have a comment in every short silence, so that each client reads some."""
    with http.serving(start, Settings(ping_after=0.001)) as url:
        yield url


@pytest.fixture
def root(server: str) -> str:
    """The address of the server, without a prefix of the API."""
    return server.removesuffix("/v1")
