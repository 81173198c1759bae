"""The part of the port that is about webhooks: who is told, and the outbox of what is to be told."""

from typing import Protocol

from msgspec import Struct

from runstead.domain.webhooks import Outcome
from runstead.wire.page import ListQuery, Page
from runstead.wire.webhook import Webhook, WebhookDelivery

__all__ = ["Attempt", "WebhookRow", "Webhooks"]


class WebhookRow(Struct, frozen=True, kw_only=True):
    """A webhook with what only the engine knows of it."""

    webhook: Webhook
    generation: int = 1
    """Of its secret."""
    old_until: int = 0
    """Unix time up to which the secret of the generation before signs too."""


class Attempt(Struct, frozen=True, kw_only=True):
    """A delivery that its taker is to make now."""

    id: str
    attempts: int
    """Grows with every one who takes it; the guard of the verdict."""
    tries: int
    """Attempts since it was noted, or replayed; this one included."""
    payload: bytes


class Webhooks(Protocol):
    """The webhooks of all projects, and their deliveries."""

    async def get(self, project: str, webhook_id: str) -> WebhookRow | None:
        """The webhook. In `write` it is held until the transaction ends."""
        ...

    async def insert(self, project: str, webhook: Webhook) -> None: ...
    async def replace(self, project: str, row: WebhookRow) -> bool: ...
    async def delete(self, project: str, webhook_id: str) -> bool:
        """Remove the webhook with its deliveries."""
        ...

    async def count(self, project: str) -> int: ...
    async def page(self, project: str, query: ListQuery) -> Page[Webhook] | None: ...
    async def deliveries(self, project: str, webhook_id: str, query: ListQuery) -> Page[WebhookDelivery] | None: ...
    async def replay(self, project: str, webhook_id: str, delivery_id: str, now: int) -> WebhookDelivery | None:
        """Make a delivery due at `now`, as if it had just been noted; None when there is no such one."""
        ...

    async def due(self, now: int) -> list[str]:
        """Ids of enabled webhooks, of any project, for which something is due."""
        ...

    async def claim(self, webhook_id: str, now: int, until: int, limit: int) -> tuple[WebhookRow, list[Attempt]] | None:
        """Some of what is due for a webhook, longest due first: nobody else is given it before `until`. None when
        there is no such webhook, or it is not enabled.
        """
        ...

    async def record(self, webhook_id: str, attempt: Attempt, verdict: Outcome) -> bool:
        """Write what an attempt came to; False when somebody else has taken or replayed the delivery since."""
        ...

    async def prune(self, before: int, limit: int) -> int:
        """Remove up to `limit` deliveries that ended before then; how many there were."""
        ...
