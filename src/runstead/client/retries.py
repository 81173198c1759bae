"""When a request may be sent again, and after how long. No IO.

A request is sent again only when that cannot do its work twice. Reading and deleting may always be repeated. Anything
else only if the server surely did not act on it: it was never sent, it was refused for now (429, or 503 with a time
to come back), or the server says `x-should-retry: true`. `x-should-retry: false` always has the last word.
"""

import os
from typing import NamedTuple

__all__ = ["Answer", "Retries", "backoff"]

LONGEST_WISH = 60.0
"""Seconds that a server may ask us to stay away; what asks for more is an error at once."""


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
