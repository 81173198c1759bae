"""Webhooks, on every deployment."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from runstead.wire.error import BadRequest, NotFound
from runstead.wire.struct import SortOrder
from runstead.wire.webhook import Webhook, WebhookRequest, WebhookUpdate, WebhookWithSecret
from tests.contract.interface.harness import Harness
from tests.support.receiver import Receiver, receiver
from tests.support.waiting import until


@pytest.fixture
async def target() -> AsyncIterator[Receiver]:
    async with receiver() as taking:
        yield taking


async def make(harness: Harness, **fields: Any) -> WebhookWithSecret:
    return await harness.rs.create_webhook(WebhookRequest(**{"url": "https://example.com/hook", **fields}))


def shown(webhook: WebhookWithSecret) -> Webhook:
    """The webhook without its secret."""
    return Webhook(**{name: getattr(webhook, name) for name in Webhook.__struct_fields__})


class TestWebhooks:
    async def test_only_creation_returns_the_secret(self, harness: Harness) -> None:
        made = await make(harness, name="Orders", event_types=["thread.run.failed", "thread.run.completed"])
        assert (made.name, made.event_types) == ("Orders", ["thread.run.completed", "thread.run.failed"])
        assert made.signing_secret.startswith("whsec_")
        assert made.signing_secret not in repr(made)
        got = await harness.rs.get_webhook(made.id)
        assert got == shown(made)
        assert not hasattr(got, "signing_secret")

    async def test_an_update_keeps_absent_fields(self, harness: Harness) -> None:
        made = await make(harness, name="Orders")
        changed = await harness.rs.update_webhook(made.id, WebhookUpdate(url="https://example.org", enabled=False))
        assert (changed.name, changed.url, changed.enabled) == ("Orders", "https://example.org", False)
        assert await harness.rs.get_webhook(made.id) == changed

    async def test_a_secret_is_rotated(self, harness: Harness) -> None:
        made = await make(harness)
        changed = await harness.rs.rotate_webhook_secret(made.id, keep_old=True)
        assert changed.signing_secret != made.signing_secret
        assert (changed.id, changed.url) == (made.id, made.url)

    async def test_webhooks_are_listed(self, harness: Harness) -> None:
        made = [shown(await make(harness)) for _ in range(3)]
        page = await harness.rs.webhooks(limit=2, order=SortOrder.ASC)
        assert (list(page.data), page.has_more) == (made[:2], True)
        assert list((await harness.rs.webhooks()).data) == made[::-1]

    async def test_a_webhook_is_deleted(self, harness: Harness) -> None:
        made = await make(harness)
        assert (await harness.rs.delete_webhook(made.id)).deleted
        for lost in (
            harness.rs.get_webhook(made.id),
            harness.rs.update_webhook(made.id, WebhookUpdate()),
            harness.rs.rotate_webhook_secret(made.id),
            harness.rs.test_webhook(made.id, "thread.run.completed"),
            harness.rs.webhook_deliveries(made.id),
            harness.rs.replay_webhook_delivery(made.id, "evt_1"),
            harness.rs.delete_webhook(made.id),
        ):
            with pytest.raises(NotFound, match=f"No webhook found with id '{made.id}'"):
                await lost

    async def test_an_invalid_url_is_refused(self, harness: Harness) -> None:
        made = await make(harness)
        for url in ("ftp://example.com", "https://user:word@example.com"):
            for refused in (make(harness, url=url), harness.rs.update_webhook(made.id, WebhookUpdate(url=url))):
                with pytest.raises(BadRequest, match="Invalid 'url': It must") as error:
                    await refused
                assert error.value.param == "url"

    async def test_a_project_has_at_most_fifty_webhooks(self, harness: Harness) -> None:
        made = [await make(harness) for _ in range(50)]
        with pytest.raises(BadRequest, match="There are 50 webhooks"):
            await make(harness)
        await harness.rs.delete_webhook(made[0].id)
        await make(harness)


class TestDeliveries:
    async def test_a_sample_is_sent_at_once(self, harness: Harness, target: Receiver) -> None:
        webhook = await make(harness, url=target.url)
        target.statuses = [418]
        result = await harness.rs.test_webhook(webhook.id, "thread.run.failed")
        assert (result.webhook_endpoint_id, result.event_type, result.status_code) == (
            webhook.id,
            "thread.run.failed",
            418,
        )
        [told] = target.requests
        assert (told.event["type"], told.event["data"]["status"]) == ("thread.run.failed", "failed")
        assert list((await harness.rs.webhook_deliveries(webhook.id)).data) == []

    async def test_a_sample_without_a_response_is_an_error_with_the_cause(
        self, harness: Harness, target: Receiver
    ) -> None:
        webhook = await make(harness, url=target.url.replace("http", "https"))
        with pytest.raises(BadRequest, match="Nothing was delivered. No secure connection"):
            await harness.rs.test_webhook(webhook.id, "thread.run.failed")

    async def test_a_delivery_is_listed_and_can_be_replayed(self, harness: Harness, target: Receiver) -> None:
        webhook = await make(harness, url=target.url)
        run = await harness.ended(await harness.start())

        async def enqueued() -> bool:
            return len((await harness.rs.webhook_deliveries(webhook.id)).data) == 1

        await until(enqueued)
        [delivery] = (await harness.rs.webhook_deliveries(webhook.id)).data
        assert (delivery.event_type, delivery.run_id) == ("thread.run.completed", run.id)
        assert delivery.thread_id == run.thread_id
        again = await harness.rs.replay_webhook_delivery(webhook.id, delivery.id)
        assert (again.id, again.status) == (delivery.id, "pending")
        with pytest.raises(NotFound, match="No delivery found"):
            await harness.rs.replay_webhook_delivery(webhook.id, "evt_none")
