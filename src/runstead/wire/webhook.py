"""Webhooks: who is told when a run pauses or ends, and what became of telling. All of it extends the original API.

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
"""`evt_`, the run's 24 letters or digits, and the number of the event among the run's."""

WebhookEvent: TypeAlias = Literal[
    "thread.run.requires_action",
    "thread.run.completed",
    "thread.run.incomplete",
    "thread.run.failed",
    "thread.run.cancelled",
    "thread.run.expired",
]
"""What a webhook can be told: that a run waits for the client, or how it ended."""

Url: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2048)]
Name: TypeAlias = Annotated[str, Meta(max_length=256)]
Events: TypeAlias = Annotated[list[WebhookEvent], Meta(min_length=1, max_length=64)]


class Webhook(Object, frozen=True, kw_only=True):
    """An address that is told."""

    id: WebhookId
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    created_at: Timestamp
    updated_at: Timestamp
    name: str = ""
    url: str
    event_types: list[WebhookEvent]
    enabled: bool = True
    """It is told. While it is not, nothing new is noted for it, and what is pending waits."""


class WebhookWithSecret(Webhook, frozen=True, kw_only=True):
    """An address that is told, with the secret that proves who tells. The secret is never shown again."""

    signing_secret: str

    def __repr__(self) -> str:
        return f"WebhookWithSecret(id={self.id!r}, url={self.url!r})"  # the secret stays out of logs


class WebhookRequest(Request, frozen=True, kw_only=True):
    """Makes a webhook."""

    url: Url
    """Where to POST, by http or https."""
    event_types: Events | UnsetType = UNSET
    """All that there are, unless some are named."""
    name: Name | UnsetType = UNSET


class WebhookUpdate(Request, frozen=True, kw_only=True):
    """Changes a webhook: absent fields stay."""

    url: Url | UnsetType = UNSET
    event_types: Events | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class SecretRotation(Request, frozen=True, kw_only=True):
    """How the secret is changed."""

    keep_old: bool = field(name="keep_old_secret_active_for_24_hours", default=False)
    """For a day, sign with the old secret too."""


class WebhookDeleted(Object, frozen=True, kw_only=True):
    """The webhook is gone, with all that was noted for it."""

    id: WebhookId
    object: Literal["webhook_endpoint.deleted"] = "webhook_endpoint.deleted"
    deleted: bool = True


class WebhookTest(Request, frozen=True, kw_only=True):
    """Which event to try."""

    event_type: WebhookEvent


class WebhookTestResult(Object, frozen=True, kw_only=True):
    """The webhook answered, with this status."""

    object: Literal["webhook_endpoint.test"] = "webhook_endpoint.test"
    webhook_endpoint_id: WebhookId
    event_type: WebhookEvent
    status_code: int
    success: Literal[True] = True


class WebhookDelivery(Object, frozen=True, kw_only=True):
    """An event that a webhook is to be told, and how far that is."""

    id: DeliveryId
    """The event's own id, which is sent as `webhook-id` with every attempt."""
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
    """When it was delivered, or given up."""
    status_code: int | None = None
    """What the last attempt was answered."""
    error: str | None = None
    """Why the last attempt failed."""
