"""An outage of a store: one log line when it begins and one when it ends, however many transactions wait for it."""

import logging
from collections.abc import Callable
from time import monotonic

__all__ = ["Outage"]

_log = logging.getLogger("runstead.store")


class Outage:
    """Of the store at one place, as one process sees it.

    `place` is how the log names the store; `fails` and `works` say what it cannot do during the outage, and can again.
    `clean` removes secrets from the text of a cause.
    """

    def __init__(self, place: object, *, fails: str, works: str, clean: Callable[[object], str] = str) -> None:
        self._place = place
        self._fails = fails
        self._works = works
        self._clean = clean
        self._since: float | None = None

    def goes_on(self, cause: object) -> None:
        """A transaction failed because of it."""
        if self._since is None:
            self._since = monotonic()
            _log.warning("%s: %s: %s", self._fails, self._place, self._clean(cause))

    def is_over(self) -> None:
        """A transaction succeeded."""
        if self._since is not None:
            _log.warning("%s after %.1f seconds: %s", self._works, monotonic() - self._since, self._place)
            self._since = None
