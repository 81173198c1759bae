"""How long a run waits whose model has no room for it now."""

from datetime import UTC, datetime
from math import ceil

from runstead.wire.run import LastError

__all__ = ["LONGEST", "told", "wait"]

LONGEST = 60
"""Seconds; whoever asks for more is asked again after that."""
_FIRST = 2
_SPREAD = 0.25
"""How much is added by chance, so that those who were refused together do not come back together."""


def wait(asked: float | None, before: int, chance: float) -> int:
    """Seconds to wait: what the model's server asked for, or twice as long each time, after so many waits `before`.

    `chance` is between 0 and 1.
    """
    seconds = _FIRST * 2.0 ** min(before, 10) if asked is None else asked
    return max(1, ceil(min(seconds, LONGEST / (1 + _SPREAD)) * (1 + _SPREAD * chance)))


def told(cause: LastError, until: int) -> LastError:
    """Why a run waits, and until when."""
    time = datetime.fromtimestamp(until, UTC)
    why = cause.message if cause.message.endswith((".", "!", "?", "…")) else f"{cause.message}."
    return LastError(code=cause.code, message=f"{why} The run waits, and goes on at {time:%Y-%m-%d %H:%M:%S} UTC.")
