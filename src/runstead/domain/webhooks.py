"""Webhooks: the payloads, their signatures, and the times of retries.

Requests are signed as the Standard Webhooks specification says. Secrets are not stored: a secret is derived from the
server's key and the webhook's id whenever it is needed.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from runstead.wire.run import Run, Status
from runstead.wire.webhook import Webhook, WebhookEvent, WebhookRequest, WebhookUpdate

__all__ = [
    "KEEP_OLD",
    "Outcome",
    "event_id",
    "outcome",
    "payload",
    "sample",
    "signature_headers",
    "signing_secret",
    "updated_webhook",
    "webhook",
]

KEEP_OLD = 24 * 3600
"""Seconds for which requests are also signed with the old secret, if a rotation asks for that."""

_SAMPLE_ID = "sample"
_SECRET_PREFIX = "whsec_"  # noqa: S105 (what every secret begins with)
_EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
_RETRY_DELAYS = (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Seconds to wait after the first, second, … failed attempt. The attempt after the last delay is the last."""
_JITTER = 0.2
"""The part of a delay that is added at random at most, so that deliveries that failed together are spread out."""


class Outcome(Struct, frozen=True, kw_only=True):
    """The result of a delivery attempt."""

    status: Literal["pending", "delivered", "failed"]
    next_at: int | None = None
    ended_at: int | None = None
    status_code: int | None = None
    error: str | None = None


def webhook(request: WebhookRequest, id: str, now: int) -> Webhook:
    """The webhook that a request creates."""
    events = list(_EVENTS) if request.event_types is UNSET else _deduplicated(request.event_types)
    name = "" if request.name is UNSET else request.name
    return Webhook(id=id, created_at=now, updated_at=now, url=request.url, event_types=events, name=name)


def updated_webhook(before: Webhook, request: WebhookUpdate, now: int) -> Webhook:
    """The webhook with the given fields changed."""
    return replace(
        before,
        url=before.url if request.url is UNSET else request.url,
        event_types=before.event_types if request.event_types is UNSET else _deduplicated(request.event_types),
        name=before.name if request.name is UNSET else request.name,
        enabled=before.enabled if request.enabled is UNSET else request.enabled,
        updated_at=now,
    )


def event_id(run_id: str, seq: int) -> str:
    """The id of the run's event with this number: the same for every webhook and every attempt."""
    return f"evt_{run_id.removeprefix('run_')}_{seq}"


def payload(id: str, event_type: str, data: bytes, now: int) -> bytes:
    """The request body: the event with the whole run as it was then. `data` is the run as JSON."""
    return b'{"id":"%s","object":"event","created_at":%d,"type":"%s","data":%s}' % (
        id.encode(),
        now,
        event_type.encode(),
        data,
    )


def sample(id: str, event_type: WebhookEvent, now: int) -> bytes:
    """A request body for a test delivery, about a run that does not exist."""
    status = Status(event_type.removeprefix("thread.run."))
    run = Run(
        id=_SAMPLE_ID, created_at=now, thread_id=_SAMPLE_ID, assistant_id=_SAMPLE_ID, status=status, model=_SAMPLE_ID
    )
    return payload(id, event_type, msgspec.json.encode(run), now)


def outcome(attempt: int, status_code: int | None, error: str, now: int, chance: float) -> Outcome:
    """The result of the attempt with this number, counted from 1.

    `status_code` is None if there was no response; `error` then says why. `chance` is a random number from 0 to 1.
    """
    if status_code is not None and 200 <= status_code < 300:
        return Outcome(status="delivered", ended_at=now, status_code=status_code)
    error = error if status_code is None else f"The answer was {status_code}, not 2xx."
    if attempt > len(_RETRY_DELAYS):
        return Outcome(status="failed", ended_at=now, status_code=status_code, error=error)
    delay = _RETRY_DELAYS[attempt - 1] * (1 + _JITTER * chance)
    return Outcome(status="pending", next_at=now + round(delay), status_code=status_code, error=error)


def signing_secret(server_key: bytes, webhook_id: str, generation: int) -> str:
    """The secret of a webhook. Each rotation is a new generation with a new secret."""
    derived = _hmac(server_key, f"runstead.webhook.{webhook_id}.{generation}".encode())
    return _SECRET_PREFIX + base64.b64encode(derived).decode()


def signature_headers(secrets: Sequence[str], id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that sign a request body with each of the secrets. Receivers accept them for a few minutes."""
    content = b"%s.%d.%s" % (id.encode(), timestamp, body)
    keys = [base64.b64decode(secret.removeprefix(_SECRET_PREFIX)) for secret in secrets]
    signatures = [base64.b64encode(_hmac(key, content)).decode() for key in keys]
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _hmac(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


def _deduplicated(events: list[WebhookEvent]) -> list[WebhookEvent]:
    """Each event once, in the order in which the type lists them."""
    return [event for event in _EVENTS if event in events]
