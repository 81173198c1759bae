"""What was kept for a time only is forgotten when that is over."""

import logging

from runstead.engine.adapters import Adapters

__all__ = ["forget_answers", "prune"]

_log = logging.getLogger("runstead.prune")

_PERIOD = 10.0
"""Seconds between two looks."""
_BATCH = 500
"""Rows removed in one transaction, which nobody else waits long for."""


async def prune(adapters: Adapters) -> None:
    """Look every few seconds, for ever."""
    while True:
        await adapters.clock.sleep(_PERIOD)
        try:
            await forget_answers(adapters)
        except Exception:
            _log.exception("forgetting old answers failed; trying again")


async def forget_answers(adapters: Adapters) -> int:
    """Remove the answers that nobody may repeat any more; how many there were."""
    now, forgotten = adapters.now(), 0
    while True:
        removed = await adapters.store.write(lambda tx: tx.idempotency.prune(now, _BATCH))
        forgotten += removed
        if removed < _BATCH:
            return forgotten
