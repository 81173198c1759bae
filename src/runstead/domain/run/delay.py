"""How long a run is delayed that its model's server has refused with a rate limit."""

from datetime import UTC, datetime
from math import ceil

from runstead.wire.run import LastError

__all__ = ["MAX_DELAY", "explained", "wait"]

MAX_DELAY = 60
"""Seconds. A server that asks for more is asked again after that."""
_FIRST = 2
_SPREAD = 0.25
"""The random part of a delay, so that runs refused together do not come back together."""


def wait(asked: float | None, before: int, chance: float) -> int:
    """Seconds to wait: what the model's server asked for, or twice as long after each of the delays `before`.

    `chance` is a random number between 0 and 1.
    """
    seconds = _FIRST * 2.0 ** min(before, 10) if asked is None else asked
    return max(1, ceil(min(seconds, MAX_DELAY / (1 + _SPREAD)) * (1 + _SPREAD * chance)))


def explained(cause: LastError, until: int) -> LastError:
    """The run's `last_error` while it is delayed: why it waits, and until when."""
    time = datetime.fromtimestamp(until, UTC)
    why = cause.message if cause.message.endswith((".", "!", "?", "…")) else f"{cause.message}."
    return LastError(code=cause.code, message=f"{why} The run waits, and goes on at {time:%Y-%m-%d %H:%M:%S} UTC.")
