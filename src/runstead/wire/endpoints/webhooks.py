"""The calls about webhooks and their deliveries."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.page import ListQuery, Page
from runstead.wire.webhook import (
    SecretRotation,
    Webhook,
    WebhookDeleted,
    WebhookDelivery,
    WebhookRequest,
    WebhookTest,
    WebhookTestResult,
    WebhookUpdate,
    WebhookWithSecret,
)

__all__ = [
    "CREATE_WEBHOOK",
    "DELETE_WEBHOOK",
    "GET_WEBHOOK",
    "REPLAY_WEBHOOK_DELIVERY",
    "ROTATE_WEBHOOK_SECRET",
    "TEST_WEBHOOK",
    "UPDATE_WEBHOOK",
    "WEBHOOKS",
    "WEBHOOK_DELIVERIES",
]

CREATE_WEBHOOK: Endpoint[Nothing, WebhookRequest, WebhookWithSecret] = Endpoint(
    name="create_webhook",
    method="POST",
    path="/webhook_endpoints",
    body=WebhookRequest,
    reply=WebhookWithSecret,
    extension=True,
    beta=False,
)

WEBHOOKS: Endpoint[ListQuery, Nothing, Page[Webhook]] = Endpoint(
    name="webhooks",
    method="GET",
    path="/webhook_endpoints",
    query=ListQuery,
    reply=Page[Webhook],
    extension=True,
    beta=False,
)

GET_WEBHOOK: Endpoint[Nothing, Nothing, Webhook] = Endpoint(
    name="get_webhook",
    method="GET",
    path="/webhook_endpoints/{webhook_id}",
    reply=Webhook,
    extension=True,
    beta=False,
)

UPDATE_WEBHOOK: Endpoint[Nothing, WebhookUpdate, Webhook] = Endpoint(
    name="update_webhook",
    method="POST",
    path="/webhook_endpoints/{webhook_id}",
    body=WebhookUpdate,
    reply=Webhook,
    extension=True,
    beta=False,
)

DELETE_WEBHOOK: Endpoint[Nothing, Nothing, WebhookDeleted] = Endpoint(
    name="delete_webhook",
    method="DELETE",
    path="/webhook_endpoints/{webhook_id}",
    reply=WebhookDeleted,
    extension=True,
    beta=False,
)

ROTATE_WEBHOOK_SECRET: Endpoint[Nothing, SecretRotation, WebhookWithSecret] = Endpoint(
    name="rotate_webhook_secret",
    method="POST",
    path="/webhook_endpoints/{webhook_id}/rotate_secret",
    body=SecretRotation,
    reply=WebhookWithSecret,
    extension=True,
    beta=False,
)

TEST_WEBHOOK: Endpoint[Nothing, WebhookTest, WebhookTestResult] = Endpoint(
    name="test_webhook",
    method="POST",
    path="/webhook_endpoints/{webhook_id}/test",
    body=WebhookTest,
    reply=WebhookTestResult,
    extension=True,
    beta=False,
)

WEBHOOK_DELIVERIES: Endpoint[ListQuery, Nothing, Page[WebhookDelivery]] = Endpoint(
    name="webhook_deliveries",
    method="GET",
    path="/webhook_endpoints/{webhook_id}/deliveries",
    query=ListQuery,
    reply=Page[WebhookDelivery],
    extension=True,
    beta=False,
)

REPLAY_WEBHOOK_DELIVERY: Endpoint[Nothing, Nothing, WebhookDelivery] = Endpoint(
    name="replay_webhook_delivery",
    method="POST",
    path="/webhook_endpoints/{webhook_id}/deliveries/{delivery_id}/replay",
    reply=WebhookDelivery,
    extension=True,
    beta=False,
)
