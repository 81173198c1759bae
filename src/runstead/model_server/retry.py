"""How long to wait before a retry."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

__all__ = ["Backoff", "read_retry_after"]


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Exponential backoff with full jitter, so that calls that failed together are not retried together."""

    first: float = 0.5
    max_wait: float = 60.0
    jitter: Callable[[], float] = random.random

    def wait(self, retry: int, retry_after: float | None = None) -> float:
        """Seconds to wait before retry number `retry`, counted from 0.

        `retry_after` is the delay that the server asked for, in seconds; up to a tenth is added to it.
        """
        if retry_after is not None:
            return min(self.max_wait, retry_after * (1 + self.jitter() / 10))
        return self.jitter() * min(self.max_wait, self.first * 2.0 ** min(retry, 30))


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """The delay that the server asks for, in seconds. A date is compared with the server's own `Date`."""
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("Retry-After", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    until, now = _date(value), _date(headers.get("Date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", text) else None


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
