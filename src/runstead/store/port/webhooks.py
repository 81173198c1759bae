"""The port of webhooks and of their deliveries, the outbox."""

from typing import Protocol

from msgspec import Struct

from runstead.domain.webhooks import Outcome
from runstead.wire.page import ListQuery, Page
from runstead.wire.webhook import Webhook, WebhookDelivery

__all__ = ["Attempt", "WebhookRow", "Webhooks"]


class WebhookRow(Struct, frozen=True, kw_only=True):
    """A webhook, and the fields that are stored with it but not shown."""

    webhook: Webhook
    generation: int = 1
    """Of its secret."""
    old_until: int = 0
    """Unix time up to which the secret of the generation before signs too."""


class Attempt(Struct, frozen=True, kw_only=True):
    """A claimed delivery, to be attempted now."""

    id: str
    attempts: int
    """Grows with every claim; the guard of the outcome."""
    tries: int
    """Attempts since it was enqueued or replayed; this one included."""
    payload: bytes


class Webhooks(Protocol):
    """The webhooks of all projects, and their deliveries."""

    async def get(self, project: str, webhook_id: str) -> WebhookRow | None:
        """The webhook. In `write` it is locked until the transaction ends."""
        ...

    async def insert(self, project: str, webhook: Webhook) -> None: ...
    async def replace(self, project: str, row: WebhookRow) -> bool: ...
    async def delete(self, project: str, webhook_id: str, now: int) -> bool:
        """Remove the webhook. Its deliveries are removed afterwards, by `Deletions.remove`."""
        ...

    async def count(self, project: str) -> int: ...
    async def page(self, project: str, query: ListQuery) -> Page[Webhook] | None: ...
    async def deliveries(self, project: str, webhook_id: str, query: ListQuery) -> Page[WebhookDelivery] | None: ...
    async def replay(self, project: str, webhook_id: str, delivery_id: str, now: int) -> WebhookDelivery | None:
        """Make a delivery due at `now`, as if it had just been enqueued; None when there is no such one."""
        ...

    async def due(self, now: int) -> list[str]:
        """Ids of enabled webhooks, of any project, for which something is due."""
        ...

    async def claim(self, webhook_id: str, now: int, until: int, limit: int) -> tuple[WebhookRow, list[Attempt]] | None:
        """Some of what is due for a webhook, longest due first. It is not claimed again before `until`. None when
        there is no such webhook, or it is not enabled.
        """
        ...

    async def record(self, webhook_id: str, attempt: Attempt, outcome: Outcome) -> bool:
        """Write the outcome of an attempt; False when the delivery was claimed again or replayed since."""
        ...

    async def prune(self, before: int, limit: int) -> int:
        """Remove deliveries that ended before then: up to `limit`, and about a megabyte. Returns their number."""
        ...
