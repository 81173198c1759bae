# Generated from tests/client/_async/conftest.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""A client, and the pauses that it takes."""

from collections.abc import Iterator

import pytest

from runstead.client._sync.client import Client
from tests.client._sync.support import Pauses, client_of
from tests.client.wire_server import WireServer


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def client(server: WireServer, pauses: Pauses) -> Iterator[Client]:
    with client_of(server, pauses) as client:
        yield client
