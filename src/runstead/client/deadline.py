"""Until when a bounded wait may last."""

from time import monotonic

__all__ = ["Deadline"]

BLINK = 0.005
"""Seconds: timers are not exact."""


class Deadline:
    """A moment on this machine's clock."""

    __slots__ = ("at", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.at = monotonic() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never below 0."""
        return max(self.at - monotonic(), 0.0)

    @property
    def over(self) -> bool:
        """The moment has passed, or is so near that a timer may have gone off for it."""
        return self.at - monotonic() < BLINK
