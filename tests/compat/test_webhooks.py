"""Webhooks with the official client: created, changed, tested and verified by it."""

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from tests.compat.script import Script
from tests.support.receiver import receiver

EVENTS: Any = ["thread.run.completed", "thread.run.failed"]  # the client's types have no run events
FAILED: Any = "thread.run.failed"


async def test_the_life_of_a_webhook(async_client: AsyncOpenAI) -> None:
    hooks = async_client.webhooks
    made = await hooks.create(event_types=EVENTS, name="Orders", url="https://example.com/hook")
    assert (made.object, made.name, made.event_types) == ("webhook_endpoint", "Orders", EVENTS)
    assert made.signing_secret.startswith("whsec_")
    got = await hooks.retrieve(made.id)
    assert (got.id, got.url, got.created_at) == (made.id, "https://example.com/hook", made.created_at)
    changed = await hooks.update(made.id, name="Failures", event_types=[FAILED])
    assert (changed.name, changed.event_types, changed.url) == ("Failures", [FAILED], got.url)
    rotated = await hooks.rotate_secret(made.id, keep_old_secret_active_for_24_hours=True)
    assert rotated.signing_secret != made.signing_secret
    gone = await hooks.delete(made.id)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "webhook_endpoint.deleted")
    with pytest.raises(openai.NotFoundError):
        await hooks.retrieve(made.id)


async def test_webhooks_are_listed_over_all_pages(async_client: AsyncOpenAI) -> None:
    hooks = async_client.webhooks
    made = [await hooks.create(event_types=EVENTS, name=f"{n}", url="https://example.com") for n in range(5)]
    listed = [each.id async for each in hooks.list(limit=2)]
    assert listed == [each.id for each in reversed(made)]


async def test_deliveries_pass_the_client_s_signature_check(async_client: AsyncOpenAI, model: Script) -> None:
    model.says("Hello!")
    hooks = async_client.webhooks
    async with receiver() as there:
        made = await hooks.create(event_types=EVENTS, name="Orders", url=there.url)
        result = await hooks.test(made.id, event_type=FAILED)
        assert (result.webhook_endpoint_id, result.status_code, result.success) == (made.id, 200, True)
        thread = await async_client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}])
        assistant = await async_client.beta.assistants.create(model="gpt-4o")
        run = await async_client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        sample, delivered = await there.next(2)
    for each in (sample, delivered):
        hooks.verify_signature(each.body, dict(each.headers), secret=made.signing_secret)
    event: Any = hooks.unwrap(delivered.body, dict(delivered.headers), secret=made.signing_secret)
    assert (event.object, event.type) == ("event", "thread.run.completed")
    assert (event.data.id, event.data.status) == (run.id, "completed")
    forged = dict(delivered.headers) | {"webhook-id": "evt_another"}
    with pytest.raises(openai.InvalidWebhookSignatureError):
        hooks.verify_signature(delivered.body, forged, secret=made.signing_secret)


async def test_an_invalid_webhook_url_is_refused(async_client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await async_client.webhooks.create(event_types=EVENTS, name="", url="ftp://example.com")
    assert refused.value.param == "url"


async def test_an_unknown_event_type_is_refused(async_client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await async_client.webhooks.create(event_types=["batch.completed"], name="", url="https://example.com")
    assert refused.value.param == "event_types[0]"
    assert "'thread.run.completed'" in str(refused.value)
