"""Webhooks: URLs that receive events when a run waits for the client or ends, and their deliveries. An extension.

Calls and fields are those of the hosted service's webhook endpoints, as far as it has them.
"""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.run import RunId
from runstead.wire.struct import Object, Request, Timestamp
from runstead.wire.thread import ThreadId

__all__ = [
    "DeliveryId",
    "SecretRotation",
    "Webhook",
    "WebhookDeleted",
    "WebhookDelivery",
    "WebhookEvent",
    "WebhookId",
    "WebhookRequest",
    "WebhookTest",
    "WebhookTestResult",
    "WebhookUpdate",
    "WebhookWithSecret",
]

WebhookId: TypeAlias = str
"""`webhook_` and 24 letters or digits."""
DeliveryId: TypeAlias = str
"""`evt_`, the 24 letters or digits of the run's id, and the number of the run's event."""

WebhookEvent: TypeAlias = Literal[
    "thread.run.requires_action",
    "thread.run.completed",
    "thread.run.incomplete",
    "thread.run.failed",
    "thread.run.cancelled",
    "thread.run.expired",
]
"""The events that a webhook can receive: a run waits for the client, or has ended."""

Url: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048)]
Name: TypeAlias = Annotated[str, Meta(max_length=256)]
Events: TypeAlias = Annotated[list[WebhookEvent], Meta(min_length=1, max_length=64)]


class Webhook(Object, frozen=True, kw_only=True):
    """A webhook, as the server returns it."""

    id: WebhookId
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    created_at: Timestamp
    updated_at: Timestamp
    name: str = ""
    url: str
    event_types: list[WebhookEvent]
    enabled: bool = True
    """Whether events are delivered. While it is false, new events are dropped, and pending deliveries wait."""


class WebhookWithSecret(Webhook, frozen=True, kw_only=True):
    """A webhook with the secret that its requests are signed with. The secret is not returned again."""

    signing_secret: str

    def __repr__(self) -> str:
        return f"WebhookWithSecret(id={self.id!r}, url={self.url!r})"  # the secret stays out of logs


class WebhookRequest(Request, frozen=True, kw_only=True):
    """Creates a webhook."""

    url: Url
    """An http or https URL, to which events are sent by POST."""
    event_types: Events | UnsetType = UNSET
    """The events to deliver. By default all."""
    name: Name | UnsetType = UNSET


class WebhookUpdate(Request, frozen=True, kw_only=True):
    """Updates a webhook. Absent fields keep their value."""

    url: Url | UnsetType = UNSET
    event_types: Events | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class SecretRotation(Request, frozen=True, kw_only=True):
    """Replaces a webhook's secret."""

    keep_old: bool = field(name="keep_old_secret_active_for_24_hours", default=False)
    """For a day, requests are signed with the old secret too."""


class WebhookDeleted(Object, frozen=True, kw_only=True):
    """A webhook was deleted, with its deliveries."""

    id: WebhookId
    object: Literal["webhook_endpoint.deleted"] = "webhook_endpoint.deleted"
    deleted: bool = True


class WebhookTest(Request, frozen=True, kw_only=True):
    """Sends a sample event to a webhook."""

    event_type: WebhookEvent


class WebhookTestResult(Object, frozen=True, kw_only=True):
    """The response of a webhook to a sample event."""

    object: Literal["webhook_endpoint.test"] = "webhook_endpoint.test"
    webhook_endpoint_id: WebhookId
    event_type: WebhookEvent
    status_code: int
    success: Literal[True] = True


class WebhookDelivery(Object, frozen=True, kw_only=True):
    """The delivery of an event to a webhook, and its state."""

    id: DeliveryId
    """The id of the event, which every attempt sends as `webhook-id`."""
    object: Literal["webhook_endpoint.delivery"] = "webhook_endpoint.delivery"
    created_at: Timestamp
    webhook_id: WebhookId
    event_type: WebhookEvent
    thread_id: ThreadId
    run_id: RunId
    status: Literal["pending", "delivered", "failed"] = "pending"
    attempts: int = 0
    next_attempt_at: Timestamp | None = None
    ended_at: Timestamp | None = None
    """When it was delivered, or failed for good."""
    status_code: int | None = None
    """The status of the response to the last attempt."""
    error: str | None = None
    """Why the last attempt failed."""
