"""A scripted server for the tests of the client."""

from collections.abc import Iterator

import pytest

from tests.client.wire_server import WireServer
from tests.support.files import FilesApplication


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer().running() as server:
        yield server


@pytest.fixture
def files_url() -> Iterator[str]:
    """The URL of a server with uploads and downloads."""
    with FilesApplication.served() as url:
        yield url
