"""An async client, and its recorded pauses."""

from collections.abc import AsyncIterator

import pytest

from runstead.client._async.client import AsyncClient
from tests.client._async.support import AsyncPauses, client_of
from tests.client.wire_server import WireServer


@pytest.fixture
def pauses() -> AsyncPauses:
    return AsyncPauses()


@pytest.fixture
async def client(server: WireServer, pauses: AsyncPauses) -> AsyncIterator[AsyncClient]:
    async with client_of(server, pauses) as client:
        yield client
