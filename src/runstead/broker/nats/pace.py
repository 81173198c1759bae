"""How soon what waits is sent: at once, as long as little is said; else what belongs together leaves together.

Time is cut into spans of `SPAN`. After `MANY` messages in one of them the rest waits for its end, and the events of a
run that wait together become one message. So a delta is at most `SPAN` late, a quiet process delays nothing, and a busy
one sends no more than `MANY` messages and two for each of its runs in a span, however fast its models are.
"""

__all__ = ["MANY", "SPAN", "Pace"]

SPAN = 0.02
"""Seconds."""
MANY = 40
"""Messages in a span; two thousand a second delay nothing."""


class Pace:
    """Of one connection. It reads no clock: it is told what time it is."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._sent = 0

    def pause(self, now: float, sent: int) -> float:
        """Seconds to wait, now that so many more messages were sent; 0 for none."""
        left = self._began + SPAN - now
        if left <= 0:
            self._began, self._sent = now, 0
            return 0
        self._sent += sent
        return left if self._sent > MANY else 0
