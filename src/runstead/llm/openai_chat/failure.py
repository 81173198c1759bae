"""Why one attempt at a model call failed, and the error message made from it."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from runstead.llm.openai_chat.response import UNREADABLE
from runstead.llm.openai_chat.retry import read_retry_after
from runstead.llm.port import ErrorCode, ModelError

__all__ = ["Failure", "error_message"]

_MAX_MESSAGE_LENGTH = 500
_RETRYABLE = frozenset({408, 429})
_INVALID_PROMPT = frozenset({400, 413, 422})


class Failure(Exception):
    """A failed attempt. `status` is the HTTP status of the answer, or None if there was no answer.

    `reason` completes the sentence "The model server 'x' …".
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.retry_after = retry_after
        self.retryable = retryable
        """Whether a retry may succeed."""
        self.body = b""
        """The error answer, unless it came in a stream."""

    @classmethod
    def answered(cls, status: int, words: str, headers: Mapping[str, str] | None = None) -> "Failure":
        """The server answered with an error status."""
        # The hosted service answers 429 for an exhausted account too, and no retry helps there.
        retryable = (status in _RETRYABLE or status >= 500) and "insufficient_quota" not in words
        wait = read_retry_after(headers) if headers else None
        reason = f"answered {_status_name(status)}{words and ': '}{words}"
        return cls(reason, status=status, retryable=retryable, retry_after=wait)

    @classmethod
    def in_stream(cls, error: dict[str, Any] | str) -> "Failure":
        """The server sent an error in place of the rest of the answer."""
        words = _message({"error": error})
        status = error.get("code") if isinstance(error, dict) else None
        if isinstance(status, int) and 400 <= status <= 599:
            return cls.answered(status, words)
        return cls(f"sent an error instead of an answer: {words or 'without a message'}")

    def message(self, mask: Callable[[str], str] = str) -> str:
        """The reason in one line of limited length. `mask` hides the secrets, which some servers repeat."""
        words = mask(self.reason)
        words = re.sub(r"\s+", " ", words[: 4 * _MAX_MESSAGE_LENGTH]).strip()
        return words if len(words) <= _MAX_MESSAGE_LENGTH else words[: _MAX_MESSAGE_LENGTH - 1] + "…"

    def model_error(self, upstream: str, attempts: int = 1, mask: Callable[[str], str] = str) -> ModelError:
        """The error to raise from the adapter, for the run's `last_error`."""
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        words = f"The model server '{upstream}' {self.message(mask)}{tried}"
        return ModelError(words, self._code, rate_limited=self.rate_limited, retry_after=self.retry_after)

    @property
    def rate_limited(self) -> bool:
        """Whether this is a temporary rate limit."""
        return self.status == 429 and self.retryable

    @property
    def _code(self) -> ErrorCode:
        if self.status == 429:
            return "rate_limit_exceeded"
        return "invalid_prompt" if self.status in _INVALID_PROMPT else "server_error"


def error_message(body: bytes) -> str:
    """The message in the body of an error answer; empty if the body is an HTML page."""
    try:
        return _message(msgspec.json.decode(body))
    except UNREADABLE:
        return "" if body.lstrip()[:1] == b"<" else body.decode("utf-8", "replace")


def _status_name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _message(answer: Any) -> str:
    """The message of a decoded error, in any of the shapes that servers use."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list):
        return "; ".join(filter(None, map(_message, answer[:5])))
    if not isinstance(answer, dict):
        return ""
    for field in ("error", "message", "detail", "msg"):
        if words := _message(answer.get(field)):
            kind = answer.get("code")
            return f"{words} ({kind})" if isinstance(kind, str) and kind else words
    return ""
