"""How long and how much a connection may read for one response."""

from time import monotonic

import httpcore2

__all__ = ["MAX_HEAD", "ReadLimits"]

MAX_HEAD = 256 * 1024
"""Bytes that may arrive before the head of a response is complete. The 1xx responses before it count too."""


class ReadLimits:
    """The limits of the response that a connection waits for. The pool sets them, and the network stream keeps them.

    The library's own time-outs are for one read each, so a server that sends a byte now and then would never exceed
    them.
    """

    __slots__ = ("_answer_seconds", "head_left", "until")

    def __init__(self) -> None:
        self.until: float | None = None
        """The deadline of all reads and writes, on the monotonic clock."""
        self._answer_seconds: float | None = None
        self.head_left: int | None = None
        """Bytes that may arrive before the head is complete; None from then on."""

    def begin(self, until: float | None, answer_seconds: float | None = None) -> None:
        """Start a request. With `answer_seconds`, the response must arrive that soon after the request was sent."""
        self.until = until
        self._answer_seconds = answer_seconds
        self.head_left = MAX_HEAD

    def head_complete(self) -> None:
        """The head of the response has arrived. The size of its body is limited by its reader."""
        self.head_left = None

    def reading(self, timeout: float | None) -> float | None:
        """Seconds that the next read may take. `ReadTimeout` after the deadline."""
        if self._answer_seconds is not None:
            latest = monotonic() + self._answer_seconds
            self.until = latest if self.until is None else min(self.until, latest)
            self._answer_seconds = None
        if self.until is None:
            return timeout
        left = self.until - monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("The response was not complete in time.")
        return left if timeout is None or left < timeout else timeout

    def left(self, timeout: float | None) -> float | None:
        """`timeout`, or the seconds until the deadline if these are fewer."""
        if self.until is None:
            return timeout
        left = max(self.until - monotonic(), 0.0)
        return left if timeout is None else min(timeout, left)

    def received(self, count: int) -> None:
        """Count bytes while `head_left` is a number. `RemoteProtocolError` if there are too many."""
        assert self.head_left is not None
        self.head_left -= count
        if self.head_left < 0:
            raise httpcore2.RemoteProtocolError(f"the head of the response exceeds {MAX_HEAD // 1024} KiB")
