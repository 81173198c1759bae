"""The application that the API serves, and the interfaces that its callers may use."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol, Self

from msgspec import Struct

from runstead.domain.access import Access, Credentials
from runstead.domain.idempotency import IdempotentRequest, Replay
from runstead.interface import Administration, Interface
from runstead.interface.streams import StreamCall
from runstead.wire.event import RawEvent

__all__ = ["Application", "Caller", "Idempotent", "Project", "Settings"]


class Idempotent(Protocol):
    """An interface whose calls can be carried out once."""

    def once(self, asked: IdempotentRequest | Callable[[], IdempotentRequest]) -> Self:
        """A copy for one call, which raises `Replay` if the request was carried out before.

        A function is called when the request's upload was read to its end.
        """
        ...


class Project(Interface, Idempotent, Protocol):
    """The interface of one project, and its streams as they go over the wire."""

    def stream(self, call: StreamCall) -> AsyncIterator[Sequence[RawEvent]]:
        """The events of a streaming call, encoded. Events that are available together are a batch.

        The errors of the call are raised before the first batch, which is empty.
        """
        ...

    def again(self, repeated: Replay, call: StreamCall) -> AsyncIterator[Sequence[RawEvent]]:
        """The events of a streaming call that was carried out before, from where they began then. As `stream`."""
        ...


class Caller(Protocol):
    """The sender of a request, and the interfaces that it may use as far as its scopes allow."""

    @property
    def project(self) -> Project: ...
    @property
    def administration(self) -> Administration: ...
    @property
    def scopes(self) -> AbstractSet[Access]: ...
    @property
    def key_id(self) -> str | None:
        """The key that was presented; None where none is asked for."""
        ...


class Application(Protocol):
    """A running engine."""

    @property
    def ready(self) -> bool:
        """It accepts requests."""
        ...

    @property
    def draining(self) -> asyncio.Event:
        """Set when the application begins to stop: streams end, and clients reconnect elsewhere."""
        ...

    async def parts(self) -> Mapping[str, bool]:
        """Which parts work, of `store` and `broker`. Answers within a few seconds."""
        ...

    async def enter(self, credentials: Credentials) -> Caller:
        """The caller that these credentials stand for. `Unauthorized` or `Forbidden` if there is none."""
        ...


class Settings(Struct, frozen=True, kw_only=True):
    """How to serve."""

    require_beta_header: bool = True
    """Refuse calls without `OpenAI-Beta: assistants=v2`, as the original does."""
    body_limit: int = 8 * 1024 * 1024
    """The largest body in bytes: enough for images in data URLs and long tool outputs."""
    bodies_limit: int = 256 * 1024 * 1024
    """The bytes of all JSON bodies that are received at once, but at least those of one. More get 503."""
    ping_after: float = 15.0
    """Seconds of silence after which a stream sends a comment. Some clients time out after 30."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which this server may be called, besides those of the machine itself."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose web pages may call this server, such as `https://app.example.com`."""
    poll_after_ms: int = 100
    """The polling interval that clients of an active run are asked to keep."""
