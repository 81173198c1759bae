"""What signals ask for: the first an orderly end, the second an end at once."""

import asyncio
import logging
import signal
from collections.abc import Callable

__all__ = ["Stopping"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Hears SIGINT and SIGTERM, from the moment that it is made, on the running loop."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._asked = False
        self._stop: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            self._loop.add_signal_handler(each, self._hear, each)

    def call(self, stop: Callable[[], None]) -> None:
        """Call this when a signal comes, or now if one has come."""
        self._stop = stop
        if self._asked:
            stop()

    def _hear(self, heard: signal.Signals) -> None:
        self._asked = True
        for each in _SIGNALS:
            # Nothing is lost by an end at once: what was answered is on disk.
            self._loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self._log.info("stopping", extra={"signal": heard.name})
        if self._stop is not None:
            self._stop()
