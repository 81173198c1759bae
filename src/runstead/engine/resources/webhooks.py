"""Webhooks, over the store."""

from collections.abc import Awaitable, Callable

import msgspec
from msgspec.structs import asdict, replace

from runstead.domain import ids, webhooks
from runstead.domain.idempotency import Replay
from runstead.engine.resources.scope import Bound, found, page_of
from runstead.engine.webhook_outbox import outbound_of, secret_of, send
from runstead.outbound.port import DeliveryError
from runstead.store.port import Tx, WebhookRow
from runstead.wire.error import BadRequest
from runstead.wire.page import ListQuery, Page
from runstead.wire.struct import UNSET, SortOrder
from runstead.wire.webhook import (
    Webhook,
    WebhookDeleted,
    WebhookDelivery,
    WebhookEvent,
    WebhookRequest,
    WebhookTestResult,
    WebhookUpdate,
    WebhookWithSecret,
)

__all__ = ["Webhooks"]

_MAX_WEBHOOKS = 50
"""Webhooks of a project: every run looks at all of them."""


class Webhooks(Bound):
    """Implements `interface.Webhooks`."""

    async def create_webhook(self, request: WebhookRequest) -> WebhookWithSecret:
        self._check(request.url)
        now = self._adapters.now()
        row = WebhookRow(webhook=webhooks.webhook(request, self._adapters.new_id("webhook"), now))
        secret_of(self._adapters, row)  # nothing is made that could not be signed for

        async def work(tx: Tx) -> WebhookRow:
            if await tx.webhooks.count(self._project) >= _MAX_WEBHOOKS:
                raise BadRequest(f"There are {_MAX_WEBHOOKS} webhooks, which is the maximum. Delete one first.")
            await tx.webhooks.insert(self._project, row.webhook)
            return row

        return await self._with_secret(work)

    async def get_webhook(self, webhook_id: str) -> Webhook:
        ids.check(webhook_id=webhook_id)
        return (await self._read(lambda tx: self._kept(tx, webhook_id))).webhook

    async def update_webhook(self, webhook_id: str, request: WebhookUpdate) -> Webhook:
        ids.check(webhook_id=webhook_id)
        if request.url is not UNSET:
            self._check(request.url)

        async def work(tx: Tx) -> Webhook:
            row = await self._kept(tx, webhook_id)
            after = webhooks.updated_webhook(row.webhook, request, self._adapters.now())
            await tx.webhooks.replace(self._project, replace(row, webhook=after))
            return after

        return await self._write(work)

    async def rotate_webhook_secret(self, webhook_id: str, keep_old: bool = False) -> WebhookWithSecret:
        ids.check(webhook_id=webhook_id)

        async def work(tx: Tx) -> WebhookRow:
            row = await self._kept(tx, webhook_id)
            now = self._adapters.now()
            row = WebhookRow(
                webhook=replace(row.webhook, updated_at=now),
                generation=row.generation + 1,
                old_until=now + webhooks.KEEP_OLD if keep_old else 0,
            )
            await tx.webhooks.replace(self._project, row)
            return row

        return await self._with_secret(work)

    async def test_webhook(self, webhook_id: str, event_type: WebhookEvent) -> WebhookTestResult:
        ids.check(webhook_id=webhook_id)
        row = await self._read(lambda tx: self._kept(tx, webhook_id))
        id = self._adapters.new_id("evt")
        try:
            status = await send(self._adapters, row, id, webhooks.sample(id, event_type, self._adapters.now()))
        except DeliveryError as unsent:
            raise BadRequest(f"Nothing was delivered. {unsent}") from unsent
        return WebhookTestResult(webhook_endpoint_id=webhook_id, event_type=event_type, status_code=status)

    async def delete_webhook(self, webhook_id: str) -> WebhookDeleted:
        ids.check(webhook_id=webhook_id)

        async def work(tx: Tx) -> WebhookDeleted:
            gone = await tx.webhooks.delete(self._project, webhook_id, self._adapters.now())
            await tx.idempotency.erase(self._project, webhook_id)
            found("webhook", webhook_id, gone or None)
            return WebhookDeleted(id=webhook_id)

        return await self._write(work)

    async def webhooks(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Webhook]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._read(
            lambda tx: page_of("webhook", query, lambda query: tx.webhooks.page(self._project, query))
        )

    async def webhook_deliveries(
        self,
        webhook_id: str,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[WebhookDelivery]:
        ids.check(webhook_id=webhook_id)
        query = ListQuery(limit=limit, order=order, after=after, before=before)

        async def work(tx: Tx) -> Page[WebhookDelivery]:
            await self._kept(tx, webhook_id)
            return await page_of(
                "delivery", query, lambda query: tx.webhooks.deliveries(self._project, webhook_id, query)
            )

        return await self._read(work)

    async def replay_webhook_delivery(self, webhook_id: str, delivery_id: str) -> WebhookDelivery:
        ids.check(webhook_id=webhook_id, delivery_id=delivery_id)

        async def work(tx: Tx) -> WebhookDelivery:
            await self._kept(tx, webhook_id)
            now = self._adapters.now()
            return found("delivery", delivery_id, await tx.webhooks.replay(self._project, webhook_id, delivery_id, now))

        return await self._write(work)

    async def _kept(self, tx: Tx, webhook_id: str) -> WebhookRow:
        return found("webhook", webhook_id, await tx.webhooks.get(self._project, webhook_id))

    def _check(self, url: str) -> None:
        try:
            outbound_of(self._adapters).check(url)
        except DeliveryError as unsent:
            raise BadRequest(f"Invalid 'url': {unsent}", param="url", code="invalid_value") from unsent

    async def _with_secret(self, work: Callable[[Tx], Awaitable[WebhookRow]]) -> WebhookWithSecret:
        """Write, and return the webhook with its secret. The record for retries does not contain the secret."""
        try:
            row = await self._write(work)
        except Replay as repeated:
            row = msgspec.json.decode(repeated.answer, type=WebhookRow)
        return WebhookWithSecret(**asdict(row.webhook), signing_secret=secret_of(self._adapters, row))
