"""One attempt at a model call that came to nothing, and why, in words that help."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from runstead.llm.openai_chat.response import UNREADABLE
from runstead.llm.openai_chat.retry import retry_after
from runstead.llm.port import ErrorCode, ModelError

__all__ = ["Failure", "server_words"]

_LONGEST_MESSAGE = 500
_SHORTEST_SECRET = 8
"""Servers without keys are given words like `none`; those are no secret, and hiding them would garble the message."""
_WORTH_ANOTHER_TRY = frozenset({408, 429})
_INVALID_PROMPT = frozenset({400, 413, 422})


class Failure(Exception):
    """An attempt that failed. `status` is HTTP's, or None if it did not come to an answer."""

    def __init__(
        self,
        words: str,
        *,
        status: int | None = None,
        passing: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(words)
        self.words = words
        self.status = status
        self.retry_after = retry_after
        self.passing = passing
        """Asking again may help."""

    @classmethod
    def answered(cls, status: int, words: str, headers: Mapping[str, str] | None = None) -> "Failure":
        """The server answered with an error."""
        # An account without money stays without: the hosted service says so with a 429 too.
        passing = (status in _WORTH_ANOTHER_TRY or status >= 500) and "insufficient_quota" not in words
        wait = retry_after(headers) if headers else None
        return cls(f"answered {_name(status)}{words and ': '}{words}", status=status, passing=passing, retry_after=wait)

    @classmethod
    def in_stream(cls, error: dict[str, Any] | str) -> "Failure":
        """The server sent an error where more of the answer should be."""
        words = _message({"error": error})
        status = error.get("code") if isinstance(error, dict) else None
        if isinstance(status, int) and 400 <= status <= 599:
            return cls.answered(status, words)
        return cls(f"sent an error instead of an answer: {words or 'without a message'}")

    def told(self, secret: str | None = None) -> str:
        """The words to tell: one line, bounded, and without the key, which some servers repeat."""
        words = self.words
        if secret and len(secret) >= _SHORTEST_SECRET:
            words = words.replace(secret, "***")
        words = re.sub(r"\s+", " ", words[: 4 * _LONGEST_MESSAGE]).strip()
        return words if len(words) <= _LONGEST_MESSAGE else words[: _LONGEST_MESSAGE - 1] + "…"

    def model_error(self, upstream: str, attempts: int = 1, secret: str | None = None) -> ModelError:
        """The same for the run's `last_error`."""
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        words = f"The model server '{upstream}' {self.told(secret)}{tried}"
        return ModelError(words, self._code, limited=self.limited, retry_after=self.retry_after)

    @property
    def limited(self) -> bool:
        """A rate limit, which passes."""
        return self.status == 429 and self.passing

    @property
    def _code(self) -> ErrorCode:
        if self.status == 429:
            return "rate_limit_exceeded"
        return "invalid_prompt" if self.status in _INVALID_PROMPT else "server_error"


def server_words(body: bytes) -> str:
    """What the body of an error says; nothing if it is a page for people."""
    try:
        return _message(msgspec.json.decode(body))
    except UNREADABLE:
        return "" if body.lstrip()[:1] == b"<" else body.decode("utf-8", "replace")


def _name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _message(answer: Any) -> str:
    """The message in any of the shapes that servers use."""
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
