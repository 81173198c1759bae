"""Until when a bounded wait may last."""

from time import monotonic

__all__ = ["Deadline"]


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
        """The moment has passed."""
        return monotonic() >= self.at
