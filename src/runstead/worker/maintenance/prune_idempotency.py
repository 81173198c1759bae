"""Idempotency records are removed when they have expired."""

import logging

from runstead.engine.adapters import Adapters
from runstead.store.port import Lane
from runstead.worker.failures import log_failure

__all__ = ["prune_idempotency", "prune_idempotency_once"]

_log = logging.getLogger("runstead.prune")

_PERIOD = 10.0
"""Seconds between two passes."""
_BATCH = 500
"""Rows removed in one transaction: few, so that no other writer waits long."""


async def prune_idempotency(adapters: Adapters) -> None:
    """Prune every few seconds, for ever."""
    while True:
        await adapters.clock.sleep(_PERIOD)
        try:
            await prune_idempotency_once(adapters)
        except Exception as error:
            log_failure(_log, error, "pruning idempotency records failed; trying again")


async def prune_idempotency_once(adapters: Adapters) -> int:
    """Remove the expired records; how many there were."""
    now, pruned = adapters.now(), 0
    while True:
        removed = await adapters.store.write(lambda tx: tx.idempotency.prune(now, _BATCH), lane=Lane.RUN)
        pruned += removed
        if not removed:
            return pruned
