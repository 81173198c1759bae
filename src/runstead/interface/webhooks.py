"""The interface of webhooks."""

from typing import Protocol

from runstead.interface.page import PageOf
from runstead.wire.struct import SortOrder
from runstead.wire.webhook import (
    DeliveryId,
    Webhook,
    WebhookDeleted,
    WebhookDelivery,
    WebhookEvent,
    WebhookId,
    WebhookRequest,
    WebhookTestResult,
    WebhookUpdate,
    WebhookWithSecret,
)

__all__ = ["Webhooks"]


class Webhooks(Protocol):
    """Addresses that are told when a run waits for its client, or has ended. An unknown id is `NotFound`."""

    async def create_webhook(self, request: WebhookRequest) -> WebhookWithSecret:
        """Make a webhook: from now on it is told. Its secret is shown this once.

        Whatever happens is told at least once, within about a second, and again with longer and longer pauses until
        the address answers with a 2xx status; after ten attempts, two days later, it is given up. The order is not
        kept. What is sent is signed as the Standard Webhooks say, and is not sent to private addresses, unless this
        server is set so.
        """
        ...

    async def get_webhook(self, webhook_id: WebhookId) -> Webhook:
        """The webhook as it is now."""
        ...

    async def update_webhook(self, webhook_id: WebhookId, request: WebhookUpdate) -> Webhook:
        """Change the fields that are given. What is pending goes to the new address."""
        ...

    async def rotate_webhook_secret(self, webhook_id: WebhookId, keep_old: bool = False) -> WebhookWithSecret:
        """Give the webhook a new secret, which is shown this once.

        With `keep_old`, what is sent is signed with the old one too for a day, so that a receiver can take its time.
        """
        ...

    async def test_webhook(self, webhook_id: WebhookId, event_type: WebhookEvent) -> WebhookTestResult:
        """Send a signed sample now, once. `BadRequest` in words when there is no answer."""
        ...

    async def delete_webhook(self, webhook_id: WebhookId) -> WebhookDeleted:
        """Remove the webhook, and with it all that was noted for it."""
        ...

    async def webhooks(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: WebhookId | None = None,
        before: WebhookId | None = None,
    ) -> PageOf[Webhook]:
        """The webhooks, newest first by default."""
        ...

    async def webhook_deliveries(
        self,
        webhook_id: WebhookId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: DeliveryId | None = None,
        before: DeliveryId | None = None,
    ) -> PageOf[WebhookDelivery]:
        """What a webhook was or will be told, newest first by default. A week after they ended they are forgotten."""
        ...

    async def replay_webhook_delivery(self, webhook_id: WebhookId, delivery_id: DeliveryId) -> WebhookDelivery:
        """Tell it again, now and as patiently as the first time, whether it was told before or not.

        It is the same event, with the same id.
        """
        ...
