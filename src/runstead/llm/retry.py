"""How long to wait before asking again."""

import random
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Backoff"]


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
