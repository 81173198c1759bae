from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.api.served import engine, served


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of a server over the real engine, whose model says "Hello there!" once."""
    async with engine(tmp_path, ["Hello there!"]) as application, served(application) as client:
        yield client
