# Generated from src/runstead/client/_async/webhooks.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""The calls for webhooks."""

from runstead.client._sync.calls import Calls
from runstead.client._sync.pages import Page
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

__all__ = ["Webhooks"]


class Webhooks(Calls):
    """`runstead.interface.Webhooks`."""

    def create_webhook(self, request: WebhookRequest) -> WebhookWithSecret:
        return self._transport.call(endpoint.CREATE_WEBHOOK, {}, body=request)

    def get_webhook(self, webhook_id: WebhookId) -> Webhook:
        return self._transport.call(endpoint.GET_WEBHOOK, {"webhook_id": webhook_id})

    def update_webhook(self, webhook_id: WebhookId, request: WebhookUpdate) -> Webhook:
        return self._transport.call(endpoint.UPDATE_WEBHOOK, {"webhook_id": webhook_id}, body=request)

    def rotate_webhook_secret(self, webhook_id: WebhookId, keep_old: bool = False) -> WebhookWithSecret:
        path, body = {"webhook_id": webhook_id}, SecretRotation(keep_old=keep_old)
        return self._transport.call(endpoint.ROTATE_WEBHOOK_SECRET, path, body=body)

    def test_webhook(self, webhook_id: WebhookId, event_type: WebhookEvent) -> WebhookTestResult:
        path, body = {"webhook_id": webhook_id}, WebhookTest(event_type=event_type)
        return self._transport.call(endpoint.TEST_WEBHOOK, path, body=body)

    def delete_webhook(self, webhook_id: WebhookId) -> WebhookDeleted:
        return self._transport.call(endpoint.DELETE_WEBHOOK, {"webhook_id": webhook_id})

    def webhooks(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: WebhookId | None = None,
        before: WebhookId | None = None,
    ) -> Page[Webhook]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return self._page(endpoint.WEBHOOKS, {}, query)

    def webhook_deliveries(
        self,
        webhook_id: WebhookId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: DeliveryId | None = None,
        before: DeliveryId | None = None,
    ) -> Page[WebhookDelivery]:
        query = ListQuery(limit=limit, order=order, after=after, before=before)
        return self._page(endpoint.WEBHOOK_DELIVERIES, {"webhook_id": webhook_id}, query)

    def replay_webhook_delivery(self, webhook_id: WebhookId, delivery_id: DeliveryId) -> WebhookDelivery:
        path = {"webhook_id": webhook_id, "delivery_id": delivery_id}
        return self._transport.call(endpoint.REPLAY_WEBHOOK_DELIVERY, path)
