"""Whether a server is connected. An outage is one log line when it begins and one when it ends."""

import asyncio
import logging

from runstead.broker.nats.address import Address

__all__ = ["Health"]

_log = logging.getLogger("runstead.broker")

_REPEAT_AFTER = 10.0
"""Seconds between two log lines with the same text. During an outage each text is logged once."""
_MAX_TEXTS = 100
"""Texts that are remembered in order not to repeat them."""


class Health:
    """The health of one connection."""

    def __init__(self, address: Address) -> None:
        self.up = asyncio.Event()
        """Set while a server is connected."""
        self._address = address
        self._lost_at: float | None = None
        self._muted = False
        self._warned: dict[str, float] = {}

    def unreachable(self) -> None:
        """No server was reached when the connection was started."""
        if not self.up.is_set():
            self._log_outage("NATS is not reachable; starting without it: %r")

    def connected(self) -> None:
        """A server is connected."""
        if self.up.is_set():
            return
        self.up.set()
        self._warned.clear()
        if self._lost_at is None:
            _log.info("connected to NATS: %r", self._address)
        else:
            away = asyncio.get_running_loop().time() - self._lost_at
            _log.warning("NATS is back after %.1f seconds: %r", away, self._address)
        self._lost_at = None

    def disconnected(self) -> None:
        """The connection to the server is lost."""
        if self.up.is_set():
            self.up.clear()
            self._log_outage("NATS is away; until it is back, events of other processes are read from the store: %r")

    def mute(self) -> None:
        """Log nothing from now on."""
        self._muted = True

    def warn(self, failure: object) -> None:
        """Log a failure, unless the same text was logged a short time ago."""
        text = f"{type(failure).__name__}: {failure}" if isinstance(failure, Exception) else str(failure)
        now = asyncio.get_running_loop().time()
        if self._muted or (text in self._warned and (not self.up.is_set() or now < self._warned[text])):
            return
        if len(self._warned) >= _MAX_TEXTS:
            self._warned.clear()
        self._warned[text] = now + _REPEAT_AFTER
        _log.warning("NATS: %s", text)

    def _log_outage(self, text: str) -> None:
        self._warned.clear()
        self._lost_at = asyncio.get_running_loop().time()
        if not self._muted:
            _log.warning(text, self._address)
