"""When a request may be sent again, and after how long. No IO.

A request is sent again only when that cannot do its work twice. Reading and deleting may always be repeated. Anything
else if the server surely did not act on it: it was never sent, it was refused for now (429, or 503 with a time to come
back), or the server says `x-should-retry: true`. Where nobody knows whether it acted, only if the server keeps the
request's key, by which it does the work once. `x-should-retry: false` always has the last word.
"""

import os
from typing import NamedTuple

__all__ = ["Answer", "Habits", "Retries", "Tries", "backoff"]

LONGEST_WISH = 60.0
"""Seconds that a server may ask us to stay away; what asks for more is an error at once."""


_BUSY = frozenset({408, 429})


class Answer(NamedTuple):
    """What an answer that is an error says about trying again."""

    status: int
    retry_after: float | None = None
    """Seconds after which to come back."""
    should_retry: bool | None = None


class Retries(NamedTuple):
    """How often to try again. Each method answers with the seconds to wait first, or None to give up."""

    limit: int = 2

    def after_answer(self, tried: int, answer: Answer, *, repeatable: bool) -> float | None:
        """The request was answered with an error, for the `tried`-th time."""
        wish = answer.retry_after
        if tried > self.limit or not _may_repeat(answer, repeatable=repeatable):
            return None
        if wish is None:
            return backoff(tried)
        return wish if 0 <= wish <= LONGEST_WISH else None

    def after_loss(self, tried: int, *, never_sent: bool, repeatable: bool) -> float | None:
        """No answer came, for the `tried`-th time."""
        return backoff(tried) if tried <= self.limit and (never_sent or repeatable) else None


class Habits:
    """What a server has shown of itself."""

    def __init__(self) -> None:
        self.keeps_keys: bool | None = None
        """It does once what comes twice with one key; None until it is known."""

    def notice(self, status: int, *, keeps_keys: bool) -> None:
        """It answered. What a proxy may have said instead of it, because it was slow or away, tells nothing."""
        if keeps_keys or (self.keeps_keys is None and status < 500 and status not in _BUSY):
            self.keeps_keys = keeps_keys


class Tries:
    """The tries of one request. Each failure is answered with the seconds to wait first, or None to give up."""

    def __init__(self, retries: Retries, habits: Habits, *, repeatable: bool) -> None:
        self._retries = retries
        self._habits = habits
        self._repeatable = repeatable
        self._number = 0
        self.doubt: Exception | None = None
        """The failure since which nobody knows whether the request was carried out, if that matters."""

    def lost(self, failure: Exception, *, never_sent: bool) -> float | None:
        """No answer came."""
        self._number += 1
        if not (never_sent or self._repeatable):
            self.doubt = failure
        return self._retries.after_loss(self._number, never_sent=self.doubt is None, repeatable=self._may_be_repeated)

    def refused(self, failure: Exception, answer: Answer) -> float | None:
        """The answer was an error."""
        self._number += 1
        if not (self._repeatable or _may_repeat(answer, repeatable=False)):
            self.doubt = failure
        return self._retries.after_answer(self._number, answer, repeatable=self._may_be_repeated)

    @property
    def _may_be_repeated(self) -> bool:
        return self._repeatable or self._habits.keeps_keys is not False


def _may_repeat(answer: Answer, *, repeatable: bool) -> bool:
    if answer.should_retry is not None:
        return answer.should_retry
    if answer.status == 429 or (answer.status == 503 and answer.retry_after is not None):
        return True
    return repeatable and (answer.status == 408 or answer.status >= 500)


def backoff(tried: int, first: float = 0.25, longest: float = 5.0) -> float:
    """Seconds before the next try: twice as long each time, less up to a quarter, so that many do not come at once."""
    spread = os.urandom(1)[0] / 1024
    return float(min(first * 2 ** (tried - 1), longest) * (1 - spread))
