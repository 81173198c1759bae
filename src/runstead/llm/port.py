"""The port of models: a request in, pieces of an answer out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol, TypeAlias

from runstead.domain.model_call import ModelRequest, Piece
from runstead.wire.model import Model

__all__ = ["ChatModel", "ErrorCode", "ModelError"]

ErrorCode: TypeAlias = Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]


class ModelError(Exception):
    """The model did not answer; `message` says why, for the run's `last_error`."""

    def __init__(
        self,
        message: str,
        code: ErrorCode = "server_error",
        *,
        limited: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.limited = limited
        """It has no room for this now, and will have: the run waits instead of failing."""
        self.retry_after = retry_after
        """The seconds after which to come back, if it said so."""


class ChatModel(Protocol):
    """A model, or many behind one address."""

    def reply(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Piece]]]:
        """Ask the model. Yields the pieces as they come, those that come together in one batch.

        Leaving the context, at any moment, closes the upstream request at once. Raises `ModelError`, after the
        adapter's own retries before the first piece; a stream that breaks later is a `ModelError` too. A rate limit
        is not waited for, but for a second or two: that is `ModelError.limited`.
        """
        ...

    async def models(self) -> Sequence[Model]:
        """The models it can name."""
        ...

    def supports(self, model: str) -> bool:
        """Whether it would answer for this model name."""
        ...

    def window(self, model: str) -> int | None:
        """How many tokens the model can read and write in one call; None if unknown."""
        ...

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
