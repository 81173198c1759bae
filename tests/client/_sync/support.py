# Generated from tests/client/_async/support.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""A client of the scripted server, which takes its pauses without spending them."""

from runstead.client._sync.client import Client
from runstead.client._sync.http import HttpTransport
from runstead.client._sync.pool import Pool
from runstead.client.http.connections import sync_connections
from runstead.client.http.retries import RetryPolicy
from runstead.client.http.target import Target
from tests.client.wire_server import WireServer


class Pauses:
    """Notes how long it was asked to sleep."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def client_of(
    server: WireServer, pauses: Pauses, *, timeout: float = 10.0, max_retries: int = 2, api_key: str | None = None
) -> Client:
    target = Target(server.url, api_key)
    transport = HttpTransport(
        target, Pool(sync_connections(target)), timeout=timeout, retries=RetryPolicy(max_retries), sleep=pauses
    )
    return Client(transport, sleep=pauses)
