"""Whether the servers are there. An outage is one line in the log when it begins and one when it is over."""

import asyncio
import logging

from runstead.broker.nats.address import Address

__all__ = ["Health"]

_log = logging.getLogger("runstead.broker")

_REPEAT_AFTER = 10.0
"""Seconds between two log lines of the same text while the servers are there. While they are away each comes once."""
_MAX_TEXTS = 100
"""Texts that are remembered."""


class Health:
    """Of one connection."""

    def __init__(self, address: Address) -> None:
        self.up = asyncio.Event()
        """A server is there."""
        self._address = address
        self._lost_at: float | None = None
        self._ended = False
        self._complained: dict[str, float] = {}

    def unreachable(self) -> None:
        """There is no server at the start, and the start waits no longer."""
        if not self.up.is_set():
            self._away("NATS is not reachable; going on without it until it is: %r")

    def found(self) -> None:
        """A server is there."""
        if self.up.is_set():
            return
        self.up.set()
        self._complained.clear()
        if self._lost_at is None:
            _log.info("connected to NATS: %r", self._address)
        else:
            away = asyncio.get_running_loop().time() - self._lost_at
            _log.warning("NATS is back after %.1f seconds: %r", away, self._address)
        self._lost_at = None

    def lost(self) -> None:
        """The server is gone."""
        if self.up.is_set():
            self.up.clear()
            self._away("NATS is away; until it is back, events of other processes are read from the store: %r")

    def end(self) -> None:
        """Log nothing from here on."""
        self._ended = True

    def complain(self, what: object) -> None:
        """Log what is wrong, but not again and again."""
        text = f"{type(what).__name__}: {what}" if isinstance(what, Exception) else str(what)
        now = asyncio.get_running_loop().time()
        if self._ended or (text in self._complained and (not self.up.is_set() or now < self._complained[text])):
            return
        if len(self._complained) >= _MAX_TEXTS:
            self._complained.clear()
        self._complained[text] = now + _REPEAT_AFTER
        _log.warning("NATS: %s", text)

    def _away(self, said: str) -> None:
        self._complained.clear()
        self._lost_at = asyncio.get_running_loop().time()
        if not self._ended:
            _log.warning(said, self._address)
