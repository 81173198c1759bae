"""An outage of a store: one log line when it begins and one when it ends, however many transactions wait for it."""

import logging
from collections.abc import Callable
from time import monotonic

__all__ = ["Outage"]

_log = logging.getLogger("runstead.store")


class Outage:
    """An outage of one store, as one process sees it.

    `place` names the store in the log. `fails` is the text of the line at the beginning, `works` that at the end.
    `clean` removes secrets from the text of a cause.
    """

    def __init__(self, place: object, *, fails: str, works: str, clean: Callable[[object], str] = str) -> None:
        self._place = place
        self._fails = fails
        self._works = works
        self._clean = clean
        self._since: float | None = None

    def begin(self, cause: object) -> None:
        """A transaction failed: log the cause, unless the outage has begun already."""
        if self._since is None:
            self._since = monotonic()
            _log.warning("%s: %s: %s", self._fails, self._place, self._clean(cause))

    def end(self) -> None:
        """A transaction succeeded: log the end of the outage, if there was one."""
        if self._since is not None:
            _log.warning("%s after %.1f seconds: %s", self._works, monotonic() - self._since, self._place)
            self._since = None
