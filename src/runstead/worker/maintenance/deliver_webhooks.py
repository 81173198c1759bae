"""Webhook deliveries are sent from the outbox: at least once, by whichever process claims them first.

```
outbox ─ due ─▶ one task a webhook ─ claim ─▶ a few at once ─▶ send ─▶ record the outcome
                (a slow receiver delays       (until the claim expires, no other process sends them;
                 no other webhook)             then the claiming process is taken for dead)
```
"""

import asyncio
import logging
import random
from urllib.parse import urlsplit

from runstead.domain.webhooks import outcome
from runstead.engine.adapters import Adapters
from runstead.engine.webhook_outbox import send
from runstead.outbound.port import DeliveryError
from runstead.store.port import Attempt, Lane, WebhookRow
from runstead.wire.error import ApiError
from runstead.worker.failures import log_failure

__all__ = ["deliver_webhooks"]

_log = logging.getLogger("runstead.webhooks")

_PERIOD = 1.0
"""Seconds between two polls of the outbox: how late a first attempt may be."""
_MAX_WEBHOOKS = 64
"""Webhooks that are served at once."""
_MAX_EACH = 8
"""Deliveries to one webhook at once."""
_CLAIM = 60
"""Seconds after which a claimed delivery is due again. An attempt takes far less."""
_GRACE = 1.0
"""Seconds that attempts under way may still take when this process stops."""
_RETENTION = 7 * 24 * 3600
"""Seconds for which finished deliveries are kept, to be read and replayed."""
_PRUNE_PERIOD = 600
_PRUNE_BATCH = 500


async def deliver_webhooks(adapters: Adapters) -> None:
    """Poll the outbox once a second, for ever."""
    if adapters.outbound is not None:
        async with asyncio.TaskGroup() as serving:
            await _Deliverer(adapters, serving).run()


class _Deliverer:
    """Serves webhooks, each in a task of its own."""

    def __init__(self, adapters: Adapters, serving: asyncio.TaskGroup) -> None:
        self._adapters = adapters
        self._serving = serving
        self._served: dict[str, asyncio.Task[None]] = {}
        self._stopping = False
        self._pruned_at = adapters.now()

    async def run(self) -> None:
        """Poll, until cancelled; then attempts under way may finish, so that they need not be made twice."""
        try:
            while True:
                await self._adapters.clock.sleep(_PERIOD)
                await self._poll()
        except asyncio.CancelledError:
            self._stopping = True
            if self._served:
                await asyncio.wait(list(self._served.values()), timeout=_GRACE)
            raise

    async def _poll(self) -> None:
        try:
            for webhook_id in await self._unserved():
                task = self._serving.create_task(self._serve(webhook_id), name=f"webhook {webhook_id}")
                self._served[webhook_id] = task
            if self._adapters.now() - self._pruned_at >= _PRUNE_PERIOD:
                await _prune(self._adapters)
                self._pruned_at = self._adapters.now()
        except Exception as error:
            log_failure(_log, error, "polling for webhook deliveries failed; trying again")

    async def _unserved(self) -> list[str]:
        """Webhooks with due deliveries that have no task here, as many as may still be served."""
        free = _MAX_WEBHOOKS - len(self._served)
        if free <= 0 or self._adapters.secret is None:  # a process without the key cannot sign
            return []
        now = self._adapters.now()
        due = await self._adapters.store.read(lambda tx: tx.webhooks.due(now), lane=Lane.MAINTENANCE)
        unserved = [webhook_id for webhook_id in due if webhook_id not in self._served]
        random.shuffle(unserved)  # with too many, none is always last
        return unserved[:free]

    async def _serve(self, webhook_id: str) -> None:
        """Send the due deliveries of a webhook, until none is due."""
        try:
            while await _serve_some(self._adapters, webhook_id) and not self._stopping:
                pass
        except Exception as error:
            log_failure(_log, error, "serving a webhook failed; trying again", extra={"webhook": webhook_id})
        finally:
            del self._served[webhook_id]


async def _serve_some(adapters: Adapters, webhook_id: str) -> bool:
    """Send some due deliveries. Returns whether there may be more."""
    now = adapters.now()
    claimed = await adapters.store.write(
        lambda tx: tx.webhooks.claim(webhook_id, now, now + _CLAIM, _MAX_EACH), lane=Lane.RUN
    )
    if claimed is None:
        return False
    row, attempts = claimed
    async with asyncio.TaskGroup() as group:
        for attempt in attempts:
            group.create_task(_make(adapters, row, attempt))
    return len(attempts) == _MAX_EACH


async def _make(adapters: Adapters, row: WebhookRow, attempt: Attempt) -> None:
    """Make one attempt, and record its outcome."""
    status: int | None = None
    error = ""
    try:
        status = await send(adapters, row, attempt.id, attempt.payload)
    except (DeliveryError, ApiError) as unsent:
        error = str(unsent)
    except Exception as cause:  # it counts as an attempt, or there would be no end of them
        _log.exception("unexpected error while delivering to a webhook", extra={"webhook": row.webhook.id})
        error = f"The server failed: {type(cause).__name__}."
    result = outcome(attempt.tries, status, error, adapters.now(), random.random())  # noqa: S311 (spreads the load)
    if result.error is not None:
        _log.warning(
            "a webhook delivery failed: %s",
            result.error,
            extra={
                "webhook": row.webhook.id, "host": _host(row), "event": attempt.id, "tries": attempt.tries,
                "next": result.status if result.next_at is None else result.next_at - adapters.now(),
            },
        )  # fmt: skip
    await adapters.store.write(lambda tx: tx.webhooks.record(row.webhook.id, attempt, result), lane=Lane.CLOSING)


def _host(row: WebhookRow) -> str:
    """The part of the address that may be logged: the rest of it may hold secrets."""
    parts = urlsplit(row.webhook.url)
    return f"{parts.scheme}://{parts.hostname}"


async def _prune(adapters: Adapters) -> None:
    before = adapters.now() - _RETENTION
    while await adapters.store.write(lambda tx: tx.webhooks.prune(before, _PRUNE_BATCH), lane=Lane.RUN):
        pass
