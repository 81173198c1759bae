"""The model port: one request in, the pieces of its answer out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol, TypeAlias

from runstead.domain.model_call import ModelRequest, Piece
from runstead.wire.model import Model

__all__ = ["ChatModel", "ErrorCode", "ModelError"]

ErrorCode: TypeAlias = Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]


class ModelError(Exception):
    """A model call failed. `message` is the reason, as the run's `last_error` shows it."""

    def __init__(
        self,
        message: str,
        code: ErrorCode = "server_error",
        *,
        rate_limited: bool = False,
        retry_after: float | None = None,
        logged: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.rate_limited = rate_limited
        """The failure is a temporary rate limit: the run is delayed instead of failing."""
        self.retry_after = retry_after
        """Seconds to wait before the next call, if the model server asked for a delay."""
        self.logged = logged
        """The adapter has logged the cause, once for all calls that fail for it."""


class ChatModel(Protocol):
    """One model, or all models of one server."""

    def reply(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Piece]]]:
        """Call the model. Yields the pieces as they are received; pieces received together are one batch.

        Leaving the context closes the upstream request at once, at any moment. Raises `ModelError` if the call fails.
        The adapter may retry before the first piece, and never after it. It waits two seconds at most for a rate limit
        to end, and then raises a `ModelError` that is `rate_limited`.
        """
        ...

    async def models(self) -> Sequence[Model]:
        """The models to list; not necessarily all that it supports."""
        ...

    def supports(self, model: str) -> bool:
        """Whether a request for this model name can be answered here."""
        ...

    def window(self, model: str) -> int | None:
        """The context window of the model, in tokens; None if unknown."""
        ...

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
