"""A scripted server for the tests of the client."""

from collections.abc import Iterator

import pytest

from tests.client.wire_server import WireServer


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer().running() as server:
        yield server
