# Generated from src/runstead/client/_async/transport.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The port between the client and its server: HTTP, or an engine in this process."""

from collections.abc import Generator, Mapping
from typing import Any, Protocol, Self, TypeVar

from runstead.client._sync.download import Download
from runstead.client._sync.upload import Upload
from runstead.client.deadline import Deadline
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.event import Event
from runstead.wire.file import FileContent
from runstead.wire.struct import Request

__all__ = ["Transport"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")


class Transport(Protocol):
    """Sends calls. `path` holds the path's parameters by name; `query` and `body` are of the endpoint's types.

    An error response is raised as `ApiError`, a connection error as `Unreachable`. A call that exceeds its `deadline`
    raises `WaitTimeout`.
    """

    def call(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        """Make the call, and return the endpoint's reply."""
        ...

    def poll(
        self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        """As `call`, with the seconds after which the server asks for the next poll; None if it does not say."""
        ...

    def stream(
        self,
        endpoint: Endpoint[Q, B, Any],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> Generator[Event]:
        """Make the call, and yield its events. The request is sent when the first event is asked for.

        The stream ends when the server ends it. `Unreachable` if the connection breaks before.
        """
        ...

    def upload(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        upload: Upload[B],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        """As `call`, with a form whose files are read while they are sent."""
        ...

    def download(
        self,
        endpoint: Endpoint[Q, B, FileContent],
        path: Mapping[str, str],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> Download:
        """The content of a file, as soon as it begins. The deadline is for all of it."""
        ...

    def once(self, key: str | None) -> Self:
        """The same transport, with this idempotency key for its POST requests. None: each request has its own key."""
        ...

    def close(self) -> None:
        """Close the connections, or stop the engine."""
        ...
