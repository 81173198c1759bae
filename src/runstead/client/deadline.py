"""The deadline of a wait."""

from time import monotonic

__all__ = ["Deadline"]

_TIMER_SLACK = 0.005
"""Seconds by which a timer may go off too early."""


class Deadline:
    """A moment on this machine's monotonic clock, `seconds` from its creation."""

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
        """The deadline has passed, or is so near that its timer may have gone off."""
        return self.at - monotonic() < _TIMER_SLACK
