"""Webhook events, retries of failed deliveries, and signatures as the official client checks them."""

import json
import time
from typing import get_args

import pytest
from openai import InvalidWebhookSignatureError, OpenAI

from runstead.domain import webhooks
from runstead.domain.webhooks import signature_headers, signing_secret
from runstead.wire.event import EventName
from runstead.wire.webhook import WebhookEvent, WebhookRequest, WebhookUpdate

DELAYS = [5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600]
KEY = b"the server's own key"
BODY = '{"type":"thread.run.completed","data":{"text":"Grüße"}}'.encode()


def test_webhooks_can_be_sent_every_event_that_pauses_or_ends_a_run() -> None:
    assert {each.value for each in EventName if each.pausing} == set(get_args(WebhookEvent))


def test_a_webhook_gets_all_events_unless_it_chooses() -> None:
    every = webhooks.webhook(WebhookRequest(url="https://example.com"), "webhook_1", 1)
    assert every.event_types == list(get_args(WebhookEvent))
    chosen = WebhookRequest(url="u", event_types=["thread.run.failed", "thread.run.completed", "thread.run.failed"])
    assert webhooks.webhook(chosen, "webhook_1", 1).event_types == ["thread.run.completed", "thread.run.failed"]


def test_an_update_keeps_absent_fields() -> None:
    before = webhooks.webhook(WebhookRequest(url="https://example.com", name="Ann"), "webhook_1", 1)
    after = webhooks.updated_webhook(before, WebhookUpdate(enabled=False), 5)
    assert (after.url, after.name, after.event_types) == (before.url, "Ann", before.event_types)
    assert (after.enabled, after.created_at, after.updated_at) == (False, 1, 5)


def test_an_event_id_is_the_run_and_the_number() -> None:
    assert webhooks.event_id("run_" + "r" * 24, 17) == "evt_" + "r" * 24 + "_17"


def test_a_payload_is_the_event_with_the_run() -> None:
    body = json.loads(webhooks.payload("evt_1", "thread.run.completed", b'{"id":"run_1"}', 7))
    assert body == {
        "id": "evt_1", "object": "event", "created_at": 7, "type": "thread.run.completed", "data": {"id": "run_1"},
    }  # fmt: skip


@pytest.mark.parametrize("event", get_args(WebhookEvent))
def test_a_sample_looks_like_the_event(event: WebhookEvent) -> None:
    body = json.loads(webhooks.sample("evt_1", event, 7))
    assert (body["type"], body["data"]["object"]) == (event, "thread.run")
    assert f"thread.run.{body['data']['status']}" == event


@pytest.mark.parametrize("status", [200, 204, 299])
def test_every_2xx_is_success(status: int) -> None:
    verdict = webhooks.outcome(1, status, "", 100, 0)
    assert (verdict.status, verdict.ended_at, verdict.next_at, verdict.error) == ("delivered", 100, None, None)


@pytest.mark.parametrize("status", [100, 199, 301, 302, 404, 410, 500])
def test_any_other_status_is_retried(status: int) -> None:
    verdict = webhooks.outcome(1, status, "", 100, 0)
    assert (verdict.status, verdict.status_code, verdict.next_at) == ("pending", status, 105)
    assert verdict.error == f"The answer was {status}, not 2xx."


@pytest.mark.parametrize(("tries", "delay"), list(enumerate(DELAYS, 1)))
def test_the_delays_grow_and_have_jitter(tries: int, delay: int) -> None:
    soonest, latest = (webhooks.outcome(tries, None, "No.", 1000, chance).next_at for chance in (0, 1))
    assert (soonest, latest) == (1000 + delay, 1000 + delay * 1.2)


def test_the_tenth_attempt_is_the_last() -> None:
    verdict = webhooks.outcome(len(DELAYS) + 1, None, "No.", 1000, 0)
    assert (verdict.status, verdict.ended_at, verdict.next_at, verdict.error) == ("failed", 1000, None, "No.")


@pytest.fixture
def check() -> OpenAI:
    return OpenAI(api_key="unused")


def now() -> int:
    return int(time.time())  # noqa: TID251 (the official client compares it with its own)


def test_the_official_client_accepts_the_signature(check: OpenAI) -> None:
    mine = signing_secret(KEY, "webhook_1", 1)
    check.webhooks.verify_signature(BODY, signature_headers([mine], "evt_1", now(), BODY), secret=mine)


@pytest.mark.parametrize(
    ("id", "timestamp", "body", "generation"),
    [("evt_2", 0, BODY, 1), ("evt_1", 1, BODY, 1), ("evt_1", 0, BODY + b" ", 1), ("evt_1", 0, BODY, 2)],
    ids=["another event", "another time", "another body", "another secret"],
)
def test_the_official_client_refuses_a_changed_request(
    check: OpenAI, id: str, timestamp: int, body: bytes, generation: int
) -> None:
    at = now()
    headers = signature_headers([signing_secret(KEY, "webhook_1", 1)], "evt_1", at, BODY)
    headers |= {"webhook-id": id, "webhook-timestamp": str(at + timestamp)}
    with pytest.raises(InvalidWebhookSignatureError):
        check.webhooks.verify_signature(body, headers, secret=signing_secret(KEY, "webhook_1", generation))


@pytest.mark.parametrize("generation", [1, 2])
def test_a_request_signed_with_two_secrets_is_accepted_with_either(check: OpenAI, generation: int) -> None:
    both = [signing_secret(KEY, "webhook_1", each) for each in (2, 1)]
    headers = signature_headers(both, "evt_1", now(), BODY)
    check.webhooks.verify_signature(BODY, headers, secret=signing_secret(KEY, "webhook_1", generation))


def test_a_signature_is_that_of_the_specification() -> None:
    # Given in the documentation of the Standard Webhooks' libraries.
    headers = signature_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_secrets_differ_by_key_webhook_and_generation() -> None:
    made = {
        signing_secret(key, id, number)
        for key in (KEY, KEY[1:])
        for id in ("webhook_1", "webhook_2")
        for number in (1, 2)
    }
    assert len(made) == 8
    assert all(each.startswith("whsec_") for each in made)
