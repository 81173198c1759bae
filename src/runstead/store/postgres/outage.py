"""That the server cannot be reached, and that it can again: one line each, however many wait for it."""

import logging
from time import monotonic

from runstead.store.postgres.address import Address
from runstead.store.postgres.failure import Lost

__all__ = ["Outage"]

_log = logging.getLogger("runstead.store")


class Outage:
    """Of the server at one address, as one process sees it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._since: float | None = None

    def goes_on(self, error: Lost) -> None:
        """It could not be reached, and not for the first time."""
        if self._since is None:
            self._since = monotonic()
            _log.warning("cannot reach the database, trying again: %s: %s", self._address, self._address.clean(error))

    def is_over(self) -> None:
        """It did what it was asked."""
        if self._since is not None:
            _log.warning("the database is back after %.1f seconds: %s", monotonic() - self._since, self._address)
            self._since = None
