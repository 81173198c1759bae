"""Why one attempt at a call of a model server failed, and the error message made from it."""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus

from runstead.model_server.retry import read_retry_after
from runstead.model_server.server_error import EXHAUSTED, ServerError, read_error_body
from runstead.model_server.split_characters import repaired

__all__ = ["Failure"]

_MAX_MESSAGE_LENGTH = 500
_RETRYABLE = frozenset({408, 429})
_REJECTED = frozenset({400, 422})
_FAILED_DEPENDENCY = 424
_WRAPPING = frozenset({400, 403, _FAILED_DEPENDENCY})
"""Statuses below 500 under which gateways pass on the rate limit of another server."""


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
        """The error answer, or the event of a stream that was an error; empty if it is not known."""
        self.inner_status: int | None = None
        """The status that the words of the error stand for; a gateway's own status may be another one."""
        self.logged = False
        """Whether the cause was logged, once for all calls that fail for it."""
        self.began = False
        """The server had accepted the request and begun to answer, so that each retry is likely to cost tokens."""

    @classmethod
    def answered(cls, status: int, words: str, headers: Mapping[str, str] | None = None) -> "Failure":
        """The server answered with an error status."""
        # The hosted service answers 429 for an exhausted account too, and no retry helps there.
        exhausted = any(kind in words for kind in EXHAUSTED)
        retryable = (status in _RETRYABLE or status >= 500) and not exhausted
        wait = read_retry_after(headers) if headers else None
        reason = f"answered {_status_name(status)}{words and ': '}{words}"
        return cls(reason, status=status, retryable=retryable, retry_after=wait)

    @classmethod
    def with_body(cls, status: int, body: bytes, headers: Mapping[str, str]) -> "Failure":
        """The server answered with an error status and this body.

        A rate limit of the server behind a gateway is one, whatever status the gateway gives it.
        """
        error = read_error_body(body)
        failure = cls.answered(status, error.words, headers)
        failure.body, failure.inner_status = body, error.status
        if failure.retry_after is None:
            failure.retry_after = error.retry_after
        if error.status == 429 and (status >= 500 or status in _WRAPPING):
            failure.status = 429
            failure.retryable = not any(kind in error.words for kind in EXHAUSTED)
        return failure

    @classmethod
    def in_answer(cls, error: ServerError) -> "Failure":
        """The server began an answer, and sent an error in place of the rest."""
        words = error.words or "without a message"
        if error.status is None:
            failure = cls(f"sent an error instead of an answer: {words}")
        else:
            failure = cls.answered(error.status, error.words)
            failure.retry_after = error.retry_after
        failure.began = True
        return failure

    @classmethod
    def unfinished(cls, reason: str) -> "Failure":
        """The server began an answer and has failed since, so that a retry may succeed."""
        failure = cls(reason, retryable=True)
        failure.began = True
        return failure

    def message(self, mask: Callable[[str], str] = str) -> str:
        """The reason in one line of limited length. `mask` hides the secrets, which some servers repeat."""
        words = mask(self.reason)
        words = re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", repaired(words)[: 4 * _MAX_MESSAGE_LENGTH]).strip()
        return words if len(words) <= _MAX_MESSAGE_LENGTH else words[: _MAX_MESSAGE_LENGTH - 1] + "…"

    def sentence(self, upstream: str, attempts: int = 1, mask: Callable[[str], str] = str) -> str:
        """The reason as a sentence about the server of this name, after so many attempts."""
        tried = f" ({attempts} attempts)" if attempts > 1 else ""
        return f"The model server '{upstream}' {self.message(mask)}{tried}"

    @property
    def answer(self) -> bytes:
        """The server's error answer, or its words."""
        return self.body or self.reason.encode("utf-8", "replace")

    @property
    def rejected(self) -> bool:
        """Whether the server refuses the request itself, or a gateway says so of the server behind it."""
        wrapped = (self.status or 0) >= 500 or self.status == _FAILED_DEPENDENCY
        return self.status in _REJECTED or (wrapped and self.inner_status in _REJECTED)

    @property
    def rate_limited(self) -> bool:
        """Whether this is a temporary rate limit."""
        return self.status == 429 and self.retryable


def _status_name(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
