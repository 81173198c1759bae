"""What was kept for a time only is forgotten when that is over."""

import logging

from runstead.engine.ports import Ports

__all__ = ["forget_answers", "prune"]

_log = logging.getLogger("runstead.prune")

_PERIOD = 10.0
"""Seconds between two looks."""
_BATCH = 500
"""Rows removed in one transaction, which nobody else waits long for."""


async def prune(ports: Ports) -> None:
    """Look every few seconds, for ever."""
    while True:
        await ports.clock.sleep(_PERIOD)
        try:
            await forget_answers(ports)
        except Exception:
            _log.exception("forgetting old answers failed; trying again")


async def forget_answers(ports: Ports) -> int:
    """Remove the answers that nobody may repeat any more; how many there were."""
    now, forgotten = ports.now(), 0
    while True:
        removed = await ports.store.write(lambda tx: tx.answers.forget(now, _BATCH))
        forgotten += removed
        if removed < _BATCH:
            return forgotten
