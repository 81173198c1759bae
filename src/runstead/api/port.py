"""What is served: an application, and the project that a request is for."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol, Self

from msgspec import Struct

from runstead.domain.idempotency import IdempotentRequest, Replay
from runstead.interface import Interface
from runstead.wire.event import RawEvent

__all__ = ["Application", "Project", "Settings"]


class Project(Interface, Protocol):
    """The interface, bound to one project, and its streams as they go over the wire."""

    def stream(self, name: str, **arguments: Any) -> AsyncIterator[Sequence[RawEvent]]:
        """The events of a streaming method, by its name, encoded; those that are there together in one batch.

        What is wrong with the request is raised before the first batch; an empty one says that nothing is.
        """
        ...

    def once(self, asked: IdempotentRequest) -> Self:
        """The same for one call, which is not carried out again: `Replay` if what it asks for is done already."""
        ...

    def again(self, repeated: Replay) -> AsyncIterator[Sequence[RawEvent]]:
        """The events of a streaming call that was made before, from where they began then. As `stream`."""
        ...


class Application(Protocol):
    """A running engine."""

    @property
    def ready(self) -> bool:
        """It takes requests."""
        ...

    @property
    def draining(self) -> asyncio.Event:
        """Set once it is about to stop: streams end then, and clients come back to its successor."""
        ...

    def project(self, name: str) -> Project:
        """The project of this name."""
        ...


class Settings(Struct, frozen=True, kw_only=True):
    """How to serve."""

    require_beta_header: bool = True
    """Calls without `OpenAI-Beta: assistants=v2` are refused, as the original did."""
    body_limit: int = 32 * 1024 * 1024
    """Bytes of a request's body: room for images in data URLs and long tool outputs."""
    ping_after: float = 15.0
    """Seconds of silence after which a stream says that it lives. Some clients give up after 30."""
    allowed_hosts: tuple[str, ...] = ()
    """Names by which this server may be called, besides those of the machine itself."""
    poll_after_ms: int = 100
    """How soon to look again, told to clients that poll an active run."""
