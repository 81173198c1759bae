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
    """Webhooks: URLs that receive an event when a run waits for the client or has ended. An extension.

    An unknown id raises `NotFound`, an id of another kind `BadRequest`.
    """

    async def create_webhook(self, request: WebhookRequest) -> WebhookWithSecret:
        """Create a webhook, and return it with its secret, which no other call returns.

        Every event from now on is delivered at least once, within about a second. An attempt that gets no 2xx status is
        retried with growing delays; after ten attempts, about two days, the delivery has failed. The order of events is
        not kept. Requests are signed as the Standard Webhooks specification says.

        `BadRequest` if the URL is not http or https or has a password, if the project has 50 webhooks already, or if
        the server has no key to sign with. Private addresses receive nothing unless the server's configuration allows
        them.
        """
        ...

    async def get_webhook(self, webhook_id: WebhookId) -> Webhook:
        """Return a webhook, without its secret."""
        ...

    async def update_webhook(self, webhook_id: WebhookId, request: WebhookUpdate) -> Webhook:
        """Update a webhook.

        Absent fields keep their value. Pending deliveries are sent to the new URL.
        """
        ...

    async def rotate_webhook_secret(self, webhook_id: WebhookId, keep_old: bool = False) -> WebhookWithSecret:
        """Replace the secret of a webhook, and return it with the new one, which no other call returns.

        With `keep_old`, requests are signed with both secrets for a day, so that receivers need not change at once.
        """
        ...

    async def test_webhook(self, webhook_id: WebhookId, event_type: WebhookEvent) -> WebhookTestResult:
        """Send a signed sample event now, once, and return the status of the response.

        The sample is about a run that does not exist, and is not listed as a delivery. `BadRequest` with the cause if
        there is no response.
        """
        ...

    async def delete_webhook(self, webhook_id: WebhookId) -> WebhookDeleted:
        """Delete a webhook with its deliveries. Pending ones are not sent."""
        ...

    async def webhooks(
        self,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: WebhookId | None = None,
        before: WebhookId | None = None,
    ) -> PageOf[Webhook]:
        """List the webhooks, newest first by default.

        `limit` is from 1 to 100. `after` and `before` are ids, exclusive and relative to the order.
        """
        ...

    async def webhook_deliveries(
        self,
        webhook_id: WebhookId,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: DeliveryId | None = None,
        before: DeliveryId | None = None,
    ) -> PageOf[WebhookDelivery]:
        """List the deliveries of a webhook, newest first by default.

        They are deleted a week after they ended. `limit` is from 1 to 100. `after` and `before` are ids, exclusive and
        relative to the order.
        """
        ...

    async def replay_webhook_delivery(self, webhook_id: WebhookId, delivery_id: DeliveryId) -> WebhookDelivery:
        """Deliver an event once more, now, and return the delivery `pending`.

        The event and its id are the same. Failed attempts are retried as often as for a new delivery.
        """
        ...
