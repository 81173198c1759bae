"""What a client needs from whatever carries its calls: HTTP, or an engine in this process."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any, Protocol, Self, TypeVar

from runstead.client._async.download import AsyncDownload
from runstead.client._async.upload import AsyncUpload
from runstead.client.deadline import Deadline
from runstead.interface.transfer import Content
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.event import Event
from runstead.wire.struct import Request

__all__ = ["AsyncTransport"]

Q = TypeVar("Q", bound=Request)
B = TypeVar("B", bound=Request)
R = TypeVar("R")


class AsyncTransport(Protocol):
    """Carries calls. `path` holds the path's parameters by name; `query` and `body` are of the endpoint's types.

    Refusals are raised as `ApiError`, lost connections as `Unreachable`. With a `deadline` nothing is waited for longer
    than that; what is not there by then is `WaitTimeout`.
    """

    async def call(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        """Do it, and give back the endpoint's reply."""
        ...

    async def poll(
        self, endpoint: Endpoint[Q, B, R], path: Mapping[str, str], deadline: Deadline | None = None
    ) -> tuple[R, float | None]:
        """As `call`, and after how many seconds the server wants to be asked again, if it says so."""
        ...

    def stream(
        self,
        endpoint: Endpoint[Q, B, Any],
        path: Mapping[str, str],
        query: Q | None = None,
        body: B | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncGenerator[Event]:
        """Do it, and follow the events; nothing is sent before the first is asked for.

        Ends where the server ends it, and is `Unreachable` when it breaks before.
        """
        ...

    async def upload(
        self,
        endpoint: Endpoint[Q, B, R],
        path: Mapping[str, str],
        upload: AsyncUpload[B],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> R:
        """As `call`, with a form whose files are read while they are sent."""
        ...

    async def download(
        self,
        endpoint: Endpoint[Q, B, Content],
        path: Mapping[str, str],
        query: Q | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncDownload:
        """The content of a file, as soon as it begins. The deadline is for all of it."""
        ...

    def once(self, key: str | None) -> Self:
        """The same, with this key for what it changes: the server does it once. With None each call has its own."""
        ...

    async def aclose(self) -> None:
        """Let go of connections, or of the engine."""
        ...
