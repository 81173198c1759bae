"""The error of the model port that a failed attempt becomes."""

from collections.abc import Callable

from runstead.llm.port import ErrorCode, ModelError
from runstead.model_server.failure import Failure

__all__ = ["model_error"]

_INVALID_PROMPT = frozenset({400, 413, 422})


def model_error(failure: Failure, upstream: str, attempts: int = 1, mask: Callable[[str], str] = str) -> ModelError:
    """The error to raise from the adapter, for the run's `last_error`."""
    words = failure.sentence(upstream, attempts, mask)
    return ModelError(
        words,
        _code(failure),
        rate_limited=failure.rate_limited,
        retry_after=failure.retry_after,
        logged=failure.logged,
    )


def _code(failure: Failure) -> ErrorCode:
    if failure.status == 429:
        return "rate_limit_exceeded"
    return "invalid_prompt" if failure.status in _INVALID_PROMPT else "server_error"
