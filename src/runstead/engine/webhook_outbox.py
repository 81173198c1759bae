"""Sending webhook deliveries, signed. The store writes them to the outbox together with the change of the run."""

from runstead.domain import webhooks
from runstead.engine.adapters import Adapters
from runstead.outbound.port import Outbound
from runstead.store.port import WebhookRow
from runstead.wire.error import BadRequest

__all__ = ["outbound_of", "secret_of", "send"]


async def send(adapters: Adapters, row: WebhookRow, id: str, payload: bytes) -> int:
    """Post an event to a webhook, signed; the status of the answer, or `DeliveryError`."""
    now = adapters.now()
    secrets = [secret_of(adapters, row)]
    if now < row.old_until:
        secrets.append(secret_of(adapters, row, row.generation - 1))
    return await outbound_of(adapters).post(
        row.webhook.url, webhooks.signature_headers(secrets, id, now, payload), payload
    )


def secret_of(adapters: Adapters, row: WebhookRow, generation: int | None = None) -> str:
    """The secret of a webhook. `BadRequest` if this server has no key to derive it from."""
    if adapters.secret is None:
        raise BadRequest(
            "This server cannot sign what it sends to webhooks: it has no key. Give all its processes the same one, "
            "of 32 characters or more, as RUNSTEAD_SECRET."
        )
    return webhooks.signing_secret(
        adapters.secret(), row.webhook.id, row.generation if generation is None else generation
    )


def outbound_of(adapters: Adapters) -> Outbound:
    """The adapter that sends. `BadRequest` if there is none."""
    if adapters.outbound is None:
        raise BadRequest("This engine has nothing to send to webhooks with.")
    return adapters.outbound
