"""What webhooks are told, and when it is tried again."""

import json
from typing import get_args

import pytest

from runstead.domain import webhooks
from runstead.wire.event import EventName
from runstead.wire.webhook import WebhookEvent, WebhookRequest, WebhookUpdate

PAUSES = [5, 30, 120, 600, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600]


def test_webhooks_can_be_told_of_every_event_after_which_nothing_happens_by_itself() -> None:
    assert {each.value for each in EventName if each.pausing} == set(get_args(WebhookEvent))


def test_a_webhook_is_told_everything_unless_it_chooses() -> None:
    every = webhooks.webhook(WebhookRequest(url="https://example.com"), "webhook_1", 1)
    assert every.event_types == list(get_args(WebhookEvent))
    chosen = WebhookRequest(url="u", event_types=["thread.run.failed", "thread.run.completed", "thread.run.failed"])
    assert webhooks.webhook(chosen, "webhook_1", 1).event_types == ["thread.run.completed", "thread.run.failed"]


def test_what_is_absent_in_an_update_stays() -> None:
    before = webhooks.webhook(WebhookRequest(url="https://example.com", name="Ann"), "webhook_1", 1)
    after = webhooks.updated_webhook(before, WebhookUpdate(enabled=False), 5)
    assert (after.url, after.name, after.event_types) == (before.url, "Ann", before.event_types)
    assert (after.enabled, after.created_at, after.updated_at) == (False, 1, 5)


def test_an_event_has_one_id_however_often_it_is_told() -> None:
    assert webhooks.event_id("run_" + "r" * 24, 17) == "evt_" + "r" * 24 + "_17"


def test_a_body_is_the_event_about_the_run() -> None:
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
def test_everything_else_is_tried_again(status: int) -> None:
    verdict = webhooks.outcome(1, status, "", 100, 0)
    assert (verdict.status, verdict.status_code, verdict.next_at) == ("pending", status, 105)
    assert verdict.error == f"The answer was {status}, not 2xx."


@pytest.mark.parametrize(("tries", "pause"), list(enumerate(PAUSES, 1)))
def test_the_pauses_grow_and_are_not_all_alike(tries: int, pause: int) -> None:
    soonest, latest = (webhooks.outcome(tries, None, "No.", 1000, chance).next_at for chance in (0, 1))
    assert (soonest, latest) == (1000 + pause, 1000 + pause * 1.2)


def test_the_tenth_attempt_is_the_last() -> None:
    verdict = webhooks.outcome(len(PAUSES) + 1, None, "No.", 1000, 0)
    assert (verdict.status, verdict.ended_at, verdict.next_at, verdict.error) == ("failed", 1000, None, "No.")
