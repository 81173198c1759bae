"""How long to wait before a retry."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

__all__ = ["Backoff", "retry_after"]


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Exponential with full jitter, so that calls that failed together do not come back together."""

    first: float = 0.5
    longest: float = 60.0
    chance: Callable[[], float] = random.random

    def wait(self, retry: int, asked: float | None = None) -> float:
        """Seconds before retry number `retry`, from 0 on. `asked` is what the server wants; up to a tenth is added."""
        if asked is not None:
            return min(self.longest, asked * (1 + self.chance() / 10))
        return self.chance() * min(self.longest, self.first * 2.0 ** min(retry, 30))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks to wait. A date counts from the server's own `Date`."""
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
