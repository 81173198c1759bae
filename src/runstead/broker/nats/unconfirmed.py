"""Events that were sent, until the server has surely passed them on.

A connection that breaks loses what was under way. It is sent again over the next one, in its order and before anything
newer: readers know what they have by its position, and what was lost finds its place.
"""

from runstead.broker.nats.outbox import Said

__all__ = ["Unconfirmed"]

_MOST = 16 * 1024 * 1024
"""Bytes that are remembered; with more, the older half is forgotten."""


class Unconfirmed:
    """Since the confirmation before the last one: what the server knew at the last may not have left it yet."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._older: list[Said] = []
        self._newer: list[Said] = []
        self._size = 0

    def add(self, said: Said) -> None:
        """A message was sent."""
        self._newer.append(said)
        self._size += len(said.data)
        if self._size > self._most // 2:
            self.confirmed()

    def confirmed(self) -> None:
        """The server has got all that was sent."""
        self._older, self._newer, self._size = self._newer, [], 0

    def take(self) -> list[Said]:
        """What may be lost, oldest first."""
        taken = [said.again() for said in (*self._older, *self._newer)]
        self._older, self._newer, self._size = [], [], 0
        return taken
