"""Removes the rows of deleted threads and webhooks, a part at a time, so that other writers do not wait long."""

import logging

from runstead.engine.adapters import Adapters
from runstead.store.port import Lane
from runstead.worker.failures import log_failure

__all__ = ["remove_deleted", "remove_deleted_once"]

_log = logging.getLogger("runstead.remove")

_PERIOD = 1.0
"""Seconds between two passes: how late a removal begins."""
_ROWS = 500
"""Rows removed in one transaction."""
_SIZE = 1024 * 1024
"""Bytes removed in one transaction, about."""


async def remove_deleted(adapters: Adapters) -> None:
    """Remove once a second, for ever."""
    while True:
        await adapters.clock.sleep(_PERIOD)
        try:
            await remove_deleted_once(adapters)
        except Exception as error:
            log_failure(_log, error, "removing rows of deleted objects failed; trying again")


async def remove_deleted_once(adapters: Adapters) -> None:
    """Remove all that may be removed at this time. A crash loses nothing: the next pass goes on there."""
    now = adapters.now()
    while await adapters.store.write(lambda tx: tx.deletions.remove(now, _ROWS, _SIZE), lane=Lane.RUN):
        pass
