"""The replies that clients have not read: a total of bytes in the write buffers of all connections.

Each connection has a buffer of its own, which is bounded. Thousands of clients that read nothing would together fill
the memory. Over the total, the connections of the slowest readers are closed. A client that reads a stream reconnects
and continues from its position.
"""

import logging
from collections.abc import Iterable

from runstead.cli.http_protocol import LimitedHttpProtocol

__all__ = ["UnreadReplies"]

_log = logging.getLogger("runstead.serve")


class UnreadReplies:
    """At most `total` bytes wait for clients. The log has a line when connections begin to be closed for it, and one
    when half of the total is free again.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._full = False

    def close_slowest(self, connections: Iterable[object]) -> None:
        """Close those connections first whose clients have read nothing for the longest time."""
        waiting = [each for each in connections if isinstance(each, LimitedHttpProtocol) and each.unread_size]
        size = sum(each.unread_size for each in waiting)
        if size > self._total:
            self._begin(size)
            waiting.sort(key=lambda each: (each.unread_since, -each.unread_size))
            for connection in waiting:
                if size <= self._total:
                    break
                size -= connection.unread_size
                connection.cut()
        elif self._full and size <= self._total // 2:
            self._full = False
            _log.warning("half of unread_limit is free again")

    def _begin(self, size: int) -> None:
        if not self._full:
            self._full = True
            _log.warning(
                "clients do not read their replies: the slowest connections are closed",
                extra={"unread_limit": self._total, "unread": size},
            )
