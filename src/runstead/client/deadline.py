"""The deadline of a wait, and the time of a call."""

from math import inf
from time import monotonic

__all__ = ["CallTime", "Deadline"]

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


class CallTime(Deadline):
    """The time of one call with its retries: `seconds`, but not beyond the `deadline` of the operation around it.

    Files may be large and lines slow, so an upload has its `seconds` only after it was sent, for the response.
    """

    __slots__ = ("answer_seconds", "until")

    def __init__(self, seconds: float, deadline: Deadline | None, *, upload: bool = False) -> None:
        super().__init__(inf if upload else seconds)
        if deadline is not None:
            self.at = min(self.at, deadline.at)
        self.until = None if self.at == inf else self.at
        """The end on the monotonic clock."""
        self.answer_seconds = seconds if upload else None
        """Seconds from the end of a request to that of its response."""
