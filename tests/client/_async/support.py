"""An async client of the scripted server. It records its pauses instead of sleeping."""

from runstead.client._async.client import AsyncClient
from runstead.client._async.http import AsyncHttpTransport
from runstead.client._async.pool import AsyncPool
from runstead.client.http.connections import async_connections
from runstead.client.http.retries import RetryPolicy
from runstead.client.http.target import Target
from tests.client.wire_server import WireServer


class AsyncPauses:
    """A `sleep` that records the seconds and returns at once."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def client_of(
    server: WireServer, pauses: AsyncPauses, *, timeout: float = 10.0, max_retries: int = 2, api_key: str | None = None
) -> AsyncClient:
    target = Target(server.url, api_key)
    transport = AsyncHttpTransport(
        target, AsyncPool(async_connections(target)), timeout=timeout, retries=RetryPolicy(max_retries), sleep=pauses
    )
    return AsyncClient(transport, sleep=pauses)
