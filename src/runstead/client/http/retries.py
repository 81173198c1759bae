"""When a request may be retried, and after how long. No IO.

A request is retried only when that cannot do its work twice:

- GET and DELETE are idempotent, and are always retried.
- A POST is retried when the server certainly did not act on it: it was never sent, it was refused for now (429, or 503
  with `retry-after`), or the response says `x-should-retry: true`.
- A POST whose outcome is unknown is retried only if the server keeps idempotency keys.
- `x-should-retry: false` rules out a retry in every case.
"""

import os
from typing import NamedTuple

__all__ = ["ErrorResponse", "RetryPolicy", "RetryState", "ServerFeatures", "backoff"]

MAX_RETRY_AFTER = 60.0
"""Seconds. A server that asks for a longer wait gets no retry: its error is raised at once."""


_BUSY = frozenset({408, 429})


class ErrorResponse(NamedTuple):
    """The retry advice of an error response."""

    status: int
    retry_after: float | None = None
    """Seconds to wait before the retry."""
    should_retry: bool | None = None


class RetryPolicy(NamedTuple):
    """How often to retry. The methods return the seconds to wait before the next attempt, or None for no retry."""

    limit: int = 2

    def delay_after_error(self, attempt: int, response: ErrorResponse, *, repeatable: bool) -> float | None:
        """The delay after an error response. `attempt` counts from 1."""
        delay = response.retry_after
        if attempt > self.limit or not _may_retry(response, repeatable=repeatable):
            return None
        if delay is None:
            return backoff(attempt)
        return delay if 0 <= delay <= MAX_RETRY_AFTER else None

    def delay_after_disconnect(self, attempt: int, *, never_sent: bool, repeatable: bool) -> float | None:
        """The delay after an attempt without a response. `attempt` counts from 1."""
        return backoff(attempt) if attempt <= self.limit and (never_sent or repeatable) else None


class ServerFeatures:
    """The features that a server's responses have shown."""

    def __init__(self) -> None:
        self.supports_idempotency: bool | None = None
        """The server keeps idempotency keys; None until that is known."""

    def observe(self, status: int, *, supports_idempotency: bool) -> None:
        """Note a response. Errors that a proxy may have sent for a slow or absent server prove nothing."""
        if supports_idempotency or (self.supports_idempotency is None and status < 500 and status not in _BUSY):
            self.supports_idempotency = supports_idempotency


class RetryState:
    """The attempts of one request. Each failure gives the seconds to wait before the retry, or None for no retry."""

    def __init__(self, policy: RetryPolicy, features: ServerFeatures, *, repeatable: bool) -> None:
        self._policy = policy
        self._features = features
        self._repeatable = repeatable
        self._attempt = 0
        self.outcome_unknown: Exception | None = None
        """The failure after which a POST may or may not have been carried out; None if there was none."""

    def disconnected(self, failure: Exception, *, never_sent: bool) -> float | None:
        """The delay after an attempt without a response."""
        self._attempt += 1
        if not (never_sent or self._repeatable):
            self.outcome_unknown = failure
        surely_unsent = self.outcome_unknown is None
        return self._policy.delay_after_disconnect(
            self._attempt, never_sent=surely_unsent, repeatable=self._may_be_repeated
        )

    def failed(self, failure: Exception, response: ErrorResponse) -> float | None:
        """The delay after an error response."""
        self._attempt += 1
        if not (self._repeatable or _may_retry(response, repeatable=False)):
            self.outcome_unknown = failure
        return self._policy.delay_after_error(self._attempt, response, repeatable=self._may_be_repeated)

    @property
    def _may_be_repeated(self) -> bool:
        return self._repeatable or self._features.supports_idempotency is not False


def _may_retry(response: ErrorResponse, *, repeatable: bool) -> bool:
    if response.should_retry is not None:
        return response.should_retry
    if response.status == 429 or (response.status == 503 and response.retry_after is not None):
        return True
    return repeatable and (response.status == 408 or response.status >= 500)


def backoff(attempt: int, first: float = 0.25, longest: float = 5.0) -> float:
    """Seconds before the next attempt: doubled each time, less a jitter of up to a quarter."""
    jitter = os.urandom(1)[0] / 1024
    return float(min(first * 2 ** (attempt - 1), longest) * (1 - jitter))
