"""The calls for webhooks."""

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.pages import AsyncPage
from runstead.wire.endpoints import webhooks as endpoint
from runstead.wire.page import ListQuery
from runstead.wire.struct import SortOrder
from runstead.wire.webhook import (
    DeliveryId,
    SecretRotation,
    Webhook,
    WebhookDeleted,
    WebhookDelivery,
    WebhookEvent,
    WebhookId,
    WebhookRequest,
    WebhookTest,
    WebhookTestResult,
    WebhookUpdate,
    WebhookWithSecret,
)

__all__ = ["AsyncWebhooks"]


class AsyncWebhooks(AsyncCalls):
    """`runstead.interface.Webhooks`."""

    async def create_webhook(self, request: WebhookRequest) -> WebhookWithSecret:
        return await self._transport.call(endpoint.CREATE_WEBHOOK, {}, body=request)

    async def get_webhook(self, webhook_id: WebhookId) -> Webhook:
        return await self._transport.call(endpoint.GET_WEBHOOK, {"webhook_id": webhook_id})

    async def update_webhook(self, webhook_id: WebhookId, request: WebhookUpdate) -> Webhook:
        return await self._transport.call(endpoint.UPDATE_WEBHOOK, {"webhook_id": webhook_id}, body=request)

    async def rotate_webhook_secret(self, webhook_id: WebhookId, keep_old: bool = False) -> WebhookWithSecret:
        path, body = {"webhook_id": webhook_id}, SecretRotation(keep_old=keep_old)
        return await self._transport.call(endpoint.ROTATE_WEBHOOK_SECRET, path, body=body)

    async def test_webhook(self, webhook_id: WebhookId, event_type: WebhookEvent) -> WebhookTestResult:
        path, body = {"webhook_id": webhook_id}, WebhookTest(event_type=event_type)
        return await self._transport.call(endpoint.TEST_WEBHOOK, path, body=body)

    async def delete_webhook(self, webhook_id: WebhookId) -> WebhookDeleted:
        return await self._transport.call(endpoint.DELETE_WEBHOOK, {"webhook_id": webhook_id})

    async def webhooks(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: WebhookId | None = None,
        before: WebhookId | None = None,
    ) -> AsyncPage[Webhook]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._page(endpoint.WEBHOOKS, {}, query)

    async def webhook_deliveries(
        self,
        webhook_id: WebhookId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: DeliveryId | None = None,
        before: DeliveryId | None = None,
    ) -> AsyncPage[WebhookDelivery]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return await self._page(endpoint.WEBHOOK_DELIVERIES, {"webhook_id": webhook_id}, query)

    async def replay_webhook_delivery(self, webhook_id: WebhookId, delivery_id: DeliveryId) -> WebhookDelivery:
        path = {"webhook_id": webhook_id, "delivery_id": delivery_id}
        return await self._transport.call(endpoint.REPLAY_WEBHOOK_DELIVERY, path)
