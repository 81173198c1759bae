"""What a webhook is told, and how often that is tried."""

from typing import Literal, get_args

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from runstead.wire.run import Run, Status
from runstead.wire.webhook import Webhook, WebhookEvent, WebhookRequest, WebhookUpdate

__all__ = ["KEEP_OLD", "Outcome", "event_id", "outcome", "payload", "sample", "updated_webhook", "webhook"]

KEEP_OLD = 24 * 3600
"""Seconds for which an old secret goes on to sign, where that is asked for."""

_NONE = "sample"
_EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
_PAUSES = (5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""Seconds, about, behind each attempt that failed; the one behind all of them is the last."""
_SPREAD = 0.2
"""Of a pause is chance, so that what failed together does not come back together."""


class Outcome(Struct, frozen=True, kw_only=True):
    """What an attempt has come to."""

    status: Literal["pending", "delivered", "failed"]
    next_at: int | None = None
    ended_at: int | None = None
    status_code: int | None = None
    error: str | None = None


def webhook(request: WebhookRequest, id: str, now: int) -> Webhook:
    """The webhook that a request asks for."""
    events = list(_EVENTS) if request.event_types is UNSET else _once_each(request.event_types)
    name = "" if request.name is UNSET else request.name
    return Webhook(id=id, created_at=now, updated_at=now, url=request.url, event_types=events, name=name)


def updated_webhook(before: Webhook, request: WebhookUpdate, now: int) -> Webhook:
    """The webhook with the given fields changed."""
    return replace(
        before,
        url=before.url if request.url is UNSET else request.url,
        event_types=before.event_types if request.event_types is UNSET else _once_each(request.event_types),
        name=before.name if request.name is UNSET else request.name,
        enabled=before.enabled if request.enabled is UNSET else request.enabled,
        updated_at=now,
    )


def event_id(run_id: str, seq: int) -> str:
    """The id of a run's event of this number: the same for everyone who hears of it, and however often."""
    return f"evt_{run_id.removeprefix('run_')}_{seq}"


def payload(id: str, event_type: str, data: bytes, now: int) -> bytes:
    """The body to send: the event, and the whole run as it was then. Its JSON is there already."""
    return b'{"id":"%s","object":"event","created_at":%d,"type":"%s","data":%s}' % (
        id.encode(),
        now,
        event_type.encode(),
        data,
    )


def sample(id: str, event_type: WebhookEvent, now: int) -> bytes:
    """A body such as an event of this kind has, about a run that is none."""
    status = Status(event_type.removeprefix("thread.run."))
    sample = Run(id=_NONE, created_at=now, thread_id=_NONE, assistant_id=_NONE, status=status, model=_NONE)
    return payload(id, event_type, msgspec.json.encode(sample), now)


def outcome(tries: int, status_code: int | None, error: str, now: int, chance: float) -> Outcome:
    """The verdict on the attempt of this number since the beginning. `status_code` is None if nobody answered, and
    `error` says why; `chance` is a random number from 0 to 1.
    """
    if status_code is not None and 200 <= status_code < 300:
        return Outcome(status="delivered", ended_at=now, status_code=status_code)
    error = error if status_code is None else f"The answer was {status_code}, not 2xx."
    if tries > len(_PAUSES):
        return Outcome(status="failed", ended_at=now, status_code=status_code, error=error)
    pause = _PAUSES[tries - 1] * (1 + _SPREAD * chance)
    return Outcome(status="pending", next_at=now + round(pause), status_code=status_code, error=error)


def _once_each(events: list[WebhookEvent]) -> list[WebhookEvent]:
    return [event for event in _EVENTS if event in events]
