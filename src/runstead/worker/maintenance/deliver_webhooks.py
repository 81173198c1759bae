"""What webhooks are to be told is sent: at least once, by whichever process comes first.

```
outbox ─ waiting ─▶ a task for each webhook ─ take ─▶ a few at once ─▶ send ─▶ judge
                    (one that is slow            (nobody else is given them before their time is over:
                     holds up no other)           then whoever took them is taken for dead)
```
"""

import asyncio
import logging
import random
from urllib.parse import urlsplit

from runstead.domain.webhooks import outcome
from runstead.engine.adapters import Adapters
from runstead.engine.webhook_outbox import send
from runstead.outbound.port import Unsent
from runstead.store.port import Attempt, WebhookRow
from runstead.wire.error import ApiError

__all__ = ["deliver"]

_log = logging.getLogger("runstead.webhooks")

_PERIOD = 1.0
"""Seconds between two looks: how late the first attempt may be."""
_MOST_WEBHOOKS = 64
"""Webhooks that are served at once."""
_MOST_EACH = 8
"""Deliveries to one webhook at once."""
_TAKEN = 60
"""Seconds after which a delivery that somebody took is due again. An attempt takes far less."""
_LAST = 1.0
"""Seconds that what is on its way has to arrive, when this process stops."""
_KEPT = 7 * 24 * 3600
"""Seconds for which deliveries that ended are kept, to be looked at and replayed."""
_FORGET_PERIOD = 600
_FORGET_BATCH = 500


async def deliver(adapters: Adapters) -> None:
    """Look once a second, for ever."""
    if adapters.outbound is not None:
        async with asyncio.TaskGroup() as serving:
            await _Post(adapters, serving).run()


class _Post:
    """Serves webhooks, each in a task of its own."""

    def __init__(self, adapters: Adapters, serving: asyncio.TaskGroup) -> None:
        self._adapters = adapters
        self._serving = serving
        self._served: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._forgotten = adapters.now()

    async def run(self) -> None:
        """Look, until cancelled: then what is on its way may arrive, so that it is not sent twice."""
        try:
            while True:
                await self._adapters.clock.sleep(_PERIOD)
                await self._look()
        except asyncio.CancelledError:
            self._stopping = True
            if self._served:
                await asyncio.wait(list(self._served.values()), timeout=_LAST)
            raise

    async def _look(self) -> None:
        try:
            for webhook_id in await self._unserved():
                task = self._serving.create_task(self._serve(webhook_id), name=f"webhook {webhook_id}")
                self._served[webhook_id] = task
            if self._adapters.now() - self._forgotten >= _FORGET_PERIOD:
                await _forget(self._adapters)
                self._forgotten = self._adapters.now()
        except Exception:
            _log.exception("looking for what webhooks are to be told failed; trying again")

    async def _unserved(self) -> list[str]:
        """Webhooks that something waits for and that nobody here serves, as many as there is room for."""
        room = _MOST_WEBHOOKS - len(self._served)
        if room <= 0 or self._adapters.secret is None:  # who cannot sign leaves them to those who can
            return []
        now = self._adapters.now()
        waiting = await self._adapters.store.read(lambda tx: tx.webhooks.due(now))
        unserved = [webhook_id for webhook_id in waiting if webhook_id not in self._served]
        random.shuffle(unserved)  # when there are too many, nobody is always last
        return unserved[:room]

    async def _serve(self, webhook_id: str) -> None:
        """Send what is due for a webhook, until nothing is."""
        try:
            while await _serve_some(self._adapters, webhook_id) and not self._stopping:
                pass
        except Exception:
            _log.exception("telling a webhook failed; trying again", extra={"webhook": webhook_id})
        finally:
            del self._served[webhook_id]


async def _serve_some(adapters: Adapters, webhook_id: str) -> bool:
    """Send some of what is due; whether there may be more."""
    now = adapters.now()
    taken = await adapters.store.write(lambda tx: tx.webhooks.claim(webhook_id, now, now + _TAKEN, _MOST_EACH))
    if taken is None:
        return False
    row, attempts = taken
    async with asyncio.TaskGroup() as group:
        for attempt in attempts:
            group.create_task(_make(adapters, row, attempt))
    return len(attempts) == _MOST_EACH


async def _make(adapters: Adapters, row: WebhookRow, attempt: Attempt) -> None:
    """Make an attempt, and write what it came to."""
    status: int | None = None
    error = ""
    try:
        status = await send(adapters, row, attempt.id, attempt.payload)
    except (Unsent, ApiError) as unsent:
        error = str(unsent)
    except Exception as cause:  # it counts as an attempt, or there would be no end of them
        _log.exception("telling a webhook failed", extra={"webhook": row.webhook.id})
        error = f"The server failed: {type(cause).__name__}."
    verdict = outcome(attempt.tries, status, error, adapters.now(), random.random())  # noqa: S311 (spreads the load)
    if verdict.error is not None:
        _log.warning(
            "a webhook was not told: %s",
            verdict.error,
            extra={
                "webhook": row.webhook.id, "host": _host(row), "event": attempt.id, "tries": attempt.tries,
                "next": verdict.status if verdict.next_at is None else verdict.next_at - adapters.now(),
            },
        )  # fmt: skip
    await adapters.store.write(lambda tx: tx.webhooks.record(row.webhook.id, attempt, verdict))


def _host(row: WebhookRow) -> str:
    """What may be said of an address: the rest of it may hold secrets."""
    parts = urlsplit(row.webhook.url)
    return f"{parts.scheme}://{parts.hostname}"


async def _forget(adapters: Adapters) -> None:
    before = adapters.now() - _KEPT
    while await adapters.store.write(lambda tx: tx.webhooks.prune(before, _FORGET_BATCH)) == _FORGET_BATCH:
        pass
