"""The webhooks, and the outbox of their deliveries."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from runstead.domain.webhooks import Outcome, payload
from runstead.store.port.webhooks import Attempt, WebhookRow
from runstead.store.tables.batch import BATCH_SIZE, first_within
from runstead.store.tables.deletions import SqlDeletions
from runstead.store.tables.queries import Queries
from runstead.store.tables.table import Row, Session, Table, Value
from runstead.wire.codec.run_parts import Settings
from runstead.wire.page import ListQuery, Page
from runstead.wire.webhook import Webhook, WebhookDelivery

__all__ = ["SqlWebhooks"]


_COLUMNS = (
    "id", "webhook_id", "created_at", "event_type", "thread_id", "run_id", "status", "attempts", "next_attempt_at",
    "ended_at", "status_code", "error",
)  # fmt: skip
"""The columns of every query for deliveries, in this order."""


_BODY = b'{"id":'
"""How a request body begins. The state of a run begins otherwise."""


class SqlWebhooks:
    """`port.Webhooks`, in SQL."""

    def __init__(self, session: Session, queries: Queries, deletions: SqlDeletions) -> None:
        self._session = session
        self._deletions = deletions
        self._queries = queries["webhooks"]
        self._table = Table(session, queries["webhooks"], Webhook)
        self._deliveries = _Deliveries(session, _of_deliveries(queries["webhooks"]), WebhookDelivery)

    async def get(self, project: str, webhook_id: str) -> WebhookRow | None:
        return self._row(await self._session.row(self._queries["get"], project=project, id=webhook_id))

    async def insert(self, project: str, webhook: Webhook) -> None:
        await self._table.insert(webhook, project=project, enabled=webhook.enabled, events=_events(webhook))

    async def replace(self, project: str, row: WebhookRow) -> bool:
        columns: dict[str, Value] = {"generation": row.generation, "old_until": row.old_until}
        enabled, events = row.webhook.enabled, _events(row.webhook)
        return await self._table.replace(row.webhook, project=project, enabled=enabled, events=events, **columns)

    async def delete(self, project: str, webhook_id: str, now: int) -> bool:
        # A writer of deliveries locks the webhook, so none is added after this.
        if not await self._table.delete(project=project, id=webhook_id):
            return False
        await self._deletions.mark_webhook(project, webhook_id, now)
        return True

    async def count(self, project: str) -> int:
        row = await self._session.row(self._queries["count"], project=project)
        return 0 if row is None else int(row[0])

    async def page(self, project: str, query: ListQuery) -> Page[Webhook] | None:
        return await self._table.page(query, project=project)

    async def deliveries(self, project: str, webhook_id: str, query: ListQuery) -> Page[WebhookDelivery] | None:
        return await self._deliveries.page(query, project=project, webhook_id=webhook_id)

    async def replay(self, project: str, webhook_id: str, delivery_id: str, now: int) -> WebhookDelivery | None:
        key: dict[str, Value] = {"project": project, "webhook_id": webhook_id, "id": delivery_id}
        found = await self._deliveries.all("replay", now=now, **key)
        return found[0] if found else None

    async def due(self, now: int) -> list[str]:
        return [row[0] for row in await self._session.rows(self._queries["due_deliveries"], now=now)]

    async def claim(self, webhook_id: str, now: int, until: int, limit: int) -> tuple[WebhookRow, list[Attempt]] | None:
        row = self._row(await self._session.row(self._queries["load"], id=webhook_id))
        if row is None:
            return None
        taken = await self._session.rows(
            self._queries["claim_deliveries"], webhook_id=webhook_id, now=now, until=until, limit=limit
        )
        return row, [_attempt(delivery) for delivery in taken]

    async def record(self, webhook_id: str, attempt: Attempt, outcome: Outcome) -> bool:
        recorded = await self._session.row(
            self._queries["record_attempt"],
            webhook_id=webhook_id,
            id=attempt.id,
            attempts=attempt.attempts,
            **asdict(outcome),
        )
        return recorded is not None

    async def prune(self, before: int, limit: int) -> int:
        sizes = await self._session.rows(self._queries["ended_sizes"], before=before, limit=limit)
        fitting = first_within([length for (length,) in sizes], BATCH_SIZE)
        return len(await self._session.rows(self._queries["prune_deliveries"], before=before, limit=fitting))

    def _row(self, row: Row | None) -> WebhookRow | None:
        if row is None:
            return None
        body, generation, old_until = row
        return WebhookRow(webhook=self._table.read(body), generation=generation, old_until=old_until)


class _Deliveries(Table[WebhookDelivery]):
    """A table whose objects are its columns: they change one by one."""

    async def all(self, name: str, **values: Value) -> list[WebhookDelivery]:
        rows = await self._session.rows(self._queries[name], **values)
        return [WebhookDelivery(**dict[str, Any](zip(_COLUMNS, row, strict=True))) for row in rows]

    async def first(self, name: str, **values: Value) -> tuple[list[WebhookDelivery], bool]:
        return await self.all(name, **values), False


def _attempt(row: Row) -> Attempt:
    """A claimed delivery. The outbox has the state of its run, and from earlier versions the whole request body."""
    id, attempts, tries, event_type, created_at, stored, settings = row
    if not stored.startswith(_BODY):
        stored = payload(id, event_type, Settings(settings).whole(stored), created_at)
    return Attempt(id=id, attempts=attempts, tries=tries, payload=stored)


def _of_deliveries(queries: Mapping[str, str]) -> Mapping[str, str]:
    """The statements of the deliveries' lists, under the names that a table has for them."""
    suffix = "_deliveries"
    lists = {name.removesuffix(suffix): sql for name, sql in queries.items() if name.endswith(suffix)}
    return lists | {"replay": queries["replay"]}


def _events(webhook: Webhook) -> str:
    """The column that finds the webhooks that want an event. No event's name is part of another's."""
    return " ".join(webhook.event_types)
