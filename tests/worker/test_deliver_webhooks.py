"""Webhook deliveries: at least once, signed, retried, each webhook by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from runstead.domain.idempotency import digest, with_key
from runstead.domain.webhooks import signature_headers
from runstead.engine.adapters import SystemClock
from runstead.llm.scripted import Script, call
from runstead.outbound.http import HttpOutbound
from runstead.wire.error import BadRequest
from runstead.wire.run import Run
from runstead.wire.struct import SortOrder
from runstead.wire.webhook import WebhookDelivery, WebhookRequest, WebhookUpdate, WebhookWithSecret
from tests.support.callers import project_of
from tests.support.clock import START
from tests.support.crash import doomed
from tests.support.receiver import ReceivedRequest, Receiver, receiver
from tests.support.waiting import until
from tests.support.worlds import WEATHER, World, world


@asynccontextmanager
async def telling(script: Script = (), **fields: Any) -> AsyncIterator[tuple[World, Receiver, WebhookWithSecret]]:
    """A world, a receiver, and the webhook that leads from one to the other."""
    async with receiver() as there, world(script, **fields) as here:
        yield here, there, await here.project.create_webhook(WebhookRequest(url=there.url))


async def deliveries(here: World, webhook_id: str) -> list[WebhookDelivery]:
    page = await here.project.webhook_deliveries(webhook_id, 100, SortOrder.ASC)
    return list(page.data)


async def settled(here: World, webhook_id: str, attempts: int = 1) -> WebhookDelivery:
    """The only delivery, once so many attempts at it are outcome."""

    async def outcome() -> bool:
        [delivery] = await deliveries(here, webhook_id)
        under_way = delivery.next_attempt_at == here.clock.time() + 60
        return delivery.attempts == attempts and not under_way

    await until(outcome)
    [delivery] = await deliveries(here, webhook_id)
    return delivery


def opens(told: ReceivedRequest, secret: str) -> bool:
    """Whether it is signed by this secret, at the time that its headers say."""
    headers = signature_headers([secret], told.headers["webhook-id"], int(told.headers["webhook-timestamp"]), told.body)
    return headers["webhook-signature"] in told.headers["webhook-signature"].split(" ")


class TestTelling:
    async def test_the_end_of_a_run_is_delivered_with_the_run(self) -> None:
        async with telling(["Hello!"]) as (here, there, webhook):
            run = await here.ended(await here.start(metadata={"order": "7"}))
            await here.clock.advance(1)
            [told] = await there.next()
            assert (told.event["object"], told.event["type"]) == ("event", "thread.run.completed")
            assert (told.event["id"], told.event["created_at"]) == (told.headers["webhook-id"], START)
            assert (told.event["data"]["id"], told.event["data"]["metadata"]) == (run.id, {"order": "7"})
            assert told.headers["webhook-timestamp"] == str(int(START) + 1)
            assert opens(told, webhook.signing_secret)
            delivery = await settled(here, webhook.id)
            assert (delivery.status, delivery.attempts, delivery.status_code) == ("delivered", 1, 200)
            assert (delivery.run_id, delivery.ended_at, delivery.next_attempt_at) == (run.id, START + 1, None)

    async def test_a_run_in_requires_action_is_delivered(self) -> None:
        async with telling([call("weather"), "Sunny."]) as (here, there, _):
            run = await here.ended(await here.start(tools=[WEATHER]))
            await here.ended(await here.submit(run))
            await here.clock.advance(1)
            told = await there.next(2)
            assert {each.event["type"] for each in told} == {"thread.run.requires_action", "thread.run.completed"}
            [waiting] = [each.event["data"] for each in told if each.event["type"].endswith("action")]
            assert waiting["required_action"]["submit_tool_outputs"]["tool_calls"][0]["function"]["name"] == "weather"

    async def test_a_webhook_gets_only_its_event_types(self) -> None:
        async with telling([call("weather"), "Sunny."]) as (here, _, webhook):
            await here.project.update_webhook(webhook.id, WebhookUpdate(event_types=["thread.run.completed"]))
            run = await here.ended(await here.start(tools=[WEATHER]))
            await here.ended(await here.submit(run))
            [delivery] = await deliveries(here, webhook.id)
            assert delivery.event_type == "thread.run.completed"

    async def test_the_end_of_an_unowned_run_is_delivered(self) -> None:
        async with telling([call("weather"), call("weather"), call("weather")]) as (here, there, _):
            cancelled, expired, deleted = [await here.ended(await here.start(tools=[WEATHER])) for _ in range(3)]
            await here.project.cancel(cancelled.thread_id, cancelled.id)
            await here.project.delete_thread(deleted.thread_id)
            await here.clock.advance(1)
            await there.next(5)
            await here.clock.advance(600)
            await until(lambda: _has_expired(here, expired))
            await here.clock.advance(1)
            events = [each.event for each in await there.next(6)]
            ends = {each["data"]["id"]: each["type"] for each in events if not each["type"].endswith("action")}
            assert ends == {
                cancelled.id: "thread.run.cancelled",
                deleted.id: "thread.run.cancelled",
                expired.id: "thread.run.expired",
            }

    async def test_webhooks_of_other_projects_get_nothing(self) -> None:
        async with telling(["Hello!"]) as (here, there, _):
            other = project_of(here.application, "another")
            theirs = await other.create_webhook(WebhookRequest(url=there.url))
            await here.ended(await here.start())
            assert (await other.webhook_deliveries(theirs.id)).data == []

    async def test_an_attempt_goes_to_the_current_url(self) -> None:
        async with telling(["Hello!"]) as (here, there, webhook):
            await here.ended(await here.start())
            await here.project.update_webhook(webhook.id, WebhookUpdate(url=there.url + "/new"))
            await here.clock.advance(1)
            assert [told.path for told in await there.next()] == ["/hook/new"]

    async def test_pending_deliveries_wait_until_the_webhook_is_enabled_again(self) -> None:
        async with telling(["Hello!", "Hello!"]) as (here, there, webhook):
            run = await here.ended(await here.start())
            await here.project.update_webhook(webhook.id, WebhookUpdate(enabled=False))
            await here.ended(await here.again(run))
            await here.clock.advance(1)
            [pending] = await deliveries(here, webhook.id)
            assert (pending.run_id, pending.attempts) == (run.id, 0)
            await here.project.update_webhook(webhook.id, WebhookUpdate(enabled=True))
            await here.clock.advance(1)
            [told] = await there.next()
            assert told.event["data"]["id"] == run.id


async def _has_expired(here: World, run: Run) -> bool:
    return (await here.now(run)).status == "expired"


async def _is_noted(here: World, webhook_id: str, number: int) -> bool:
    return len(await deliveries(here, webhook_id)) == number


class TestPatience:
    async def test_a_failed_delivery_is_retried_with_the_same_id(self) -> None:
        async with telling(["Hello!"]) as (here, there, webhook):
            there.statuses = [500, 302, 204]
            await here.ended(await here.start())
            for attempt, wait in enumerate([1, 7, 37], 1):
                await here.clock.advance(wait)
                await there.next(attempt)
                await settled(here, webhook.id, attempt)
            [delivery] = await deliveries(here, webhook.id)
            assert (delivery.status, delivery.attempts, delivery.error) == ("delivered", 3, None)
            assert len({told.event["id"] for told in there.requests}) == 1
            assert all(opens(told, webhook.signing_secret) for told in there.requests)
            assert {told.path for told in there.requests} == {"/hook"}, "a redirect is not followed"

    async def test_a_delivery_fails_after_ten_attempts_in_two_days(self) -> None:
        async with telling(["Hello!"]) as (here, there, webhook):
            there.statuses = [503] * 11
            await here.ended(await here.start())
            await here.clock.advance(1)
            for attempt in range(1, 10):
                delivery = await settled(here, webhook.id, attempt)
                assert (delivery.status, delivery.status_code) == ("pending", 503)
                assert delivery.next_attempt_at is not None
                await here.clock.advance(delivery.next_attempt_at - here.clock.time())
            delivery = await settled(here, webhook.id, 10)
            assert (delivery.status, delivery.error) == ("failed", "The answer was 503, not 2xx.")
            assert 2 * 86400 - 3600 < here.clock.time() - START < 2.4 * 86400
            await here.clock.advance(10 * 86400)
            assert len(there.requests) == 10

    async def test_an_unreachable_receiver_is_a_failure_in_words(self, caplog: pytest.LogCaptureFixture) -> None:
        async with telling(["Hello!"]) as (here, there, webhook):
            closed = there.url.replace("http", "https") + "?token=s3cret"
            await here.project.update_webhook(webhook.id, WebhookUpdate(url=closed))
            await here.ended(await here.start())
            await here.clock.advance(1)
            delivery = await settled(here, webhook.id)
            assert delivery.error is not None
            assert delivery.error.startswith("No secure connection")
        assert "a webhook delivery failed" in caplog.text
        assert "s3cret" not in caplog.text
        assert webhook.signing_secret not in caplog.text

    async def test_a_private_address_is_refused_in_words(self) -> None:
        outbound = HttpOutbound(lookup=lambda *_, **__: [(2, 1, 6, "", ("127.0.0.1", 80))])
        async with world(["Hello!"], outbound=outbound) as here:
            webhook = await here.project.create_webhook(WebhookRequest(url="http://hook.example/"))
            await here.ended(await here.start())
            await here.clock.advance(1)
            delivery = await settled(here, webhook.id)
            assert delivery.error is not None
            assert delivery.error.startswith("It leads to a private address")

    async def test_a_hanging_receiver_delays_no_other_webhook(self) -> None:
        async with AsyncExitStack() as stack:
            slow, quick = [await stack.enter_async_context(receiver()) for _ in range(2)]
            slow.hangs = True
            here = await stack.enter_async_context(world(lambda _: "Hello!"))
            for there in (slow, quick):
                await here.project.create_webhook(WebhookRequest(url=there.url))
            for number in range(1, 4):
                for _ in range(10):
                    await here.ended(await here.start())
                await here.clock.advance(1)
                await quick.next(number * 10)
            assert len(slow.requests) == 8, "no more than a few wait for it"

    async def test_a_backlog_of_deliveries_is_sent_within_one_poll(self) -> None:
        async with telling(lambda _: "Hello!") as (here, there, _):
            await asyncio.gather(*[here.start() for _ in range(30)])
            await until(lambda: _all_ended(here, 30))
            await here.clock.advance(1)
            assert len({told.event["id"] for told in await there.next(30)}) == 30


async def _all_ended(here: World, number: int) -> bool:
    [webhook] = (await here.project.webhooks()).data
    return len(await deliveries(here, webhook.id)) == number


class TestReplay:
    async def test_a_replayed_delivery_is_sent_again(self) -> None:
        async with telling(["Hello!"]) as (here, there, webhook):
            await here.ended(await here.start())
            await here.clock.advance(1)
            delivery = await settled(here, webhook.id)
            pending = await here.project.replay_webhook_delivery(webhook.id, delivery.id)
            assert (pending.status, pending.next_attempt_at, pending.ended_at) == ("pending", START + 1, None)
            await here.clock.advance(1)
            first, again = await there.next(2)
            assert (again.body, again.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
            assert again.headers["webhook-signature"] != first.headers["webhook-signature"]
            assert (await settled(here, webhook.id, 2)).status == "delivered"

    async def test_deliveries_are_pruned_a_week_after_their_end(self) -> None:
        async with telling(["Hello!"]) as (here, _, webhook):
            await here.ended(await here.start())
            await here.clock.advance(1)
            await settled(here, webhook.id)
            await here.clock.advance(7 * 86400 - 1)
            assert len(await deliveries(here, webhook.id)) == 1
            await here.clock.advance(601)
            await until(lambda: _is_noted(here, webhook.id, 0))


class TestSecrets:
    async def test_a_new_secret_replaces_the_old_one_at_once(self) -> None:
        async with telling(["Hello!"]) as (here, there, webhook):
            changed = await here.project.rotate_webhook_secret(webhook.id)
            await here.ended(await here.start())
            await here.clock.advance(1)
            [told] = await there.next()
            assert opens(told, changed.signing_secret)
            assert not opens(told, webhook.signing_secret)

    async def test_the_old_secret_signs_too_for_a_day_if_asked(self) -> None:
        async with telling(["Hello!", "Hello!"]) as (here, there, webhook):
            changed = await here.project.rotate_webhook_secret(webhook.id, keep_old=True)
            run = await here.ended(await here.start())
            await here.clock.advance(1)
            await there.next()
            await here.clock.advance(86400)
            await here.ended(await here.again(run))
            await here.clock.advance(1)
            soon, late = await there.next(2)
            assert opens(soon, changed.signing_secret)
            assert opens(soon, webhook.signing_secret)
            assert opens(late, changed.signing_secret)
            assert not opens(late, webhook.signing_secret)

    async def test_without_a_key_there_are_no_webhooks(self) -> None:
        async with world(secret=None) as here:
            with pytest.raises(BadRequest, match="RUNSTEAD_SECRET"):
                await here.project.create_webhook(WebhookRequest(url="https://example.com"))
            assert (await here.project.webhooks()).data == []

    async def test_a_process_without_the_key_leaves_deliveries_to_others(self, tmp_path: Path) -> None:
        path = tmp_path / "rs.db"
        async with receiver() as there:
            async with world(["Hello!"], path=path) as able:
                webhook = await able.project.create_webhook(WebhookRequest(url=there.url))
                await able.ended(await able.start())
            async with world(path=path, secret=None) as unable:
                await unable.clock.advance(5)
                [delivery] = await deliveries(unable, webhook.id)
                assert (delivery.status, delivery.attempts) == ("pending", 0)
            async with world(path=path) as able:
                await able.clock.advance(1)
                await there.next()

    async def test_no_secret_is_stored_not_even_in_idempotency_records(self, tmp_path: Path) -> None:
        async with world(path=tmp_path / "rs.db") as here:
            making, changing = (here.project.once(with_key(key, digest(b"asked"))) for key in ("make", "change"))
            request = WebhookRequest(url="https://example.com")
            made, again = [await making.create_webhook(request) for _ in range(2)]
            assert again == made
            assert (await here.project.webhooks()).first_id == (await here.project.webhooks()).last_id
            changed, again = [await changing.rotate_webhook_secret(made.id) for _ in range(2)]
            assert again == changed
            for file in tmp_path.iterdir():
                for each in (made, changed):
                    assert each.signing_secret.removeprefix("whsec_").encode() not in file.read_bytes()


class TestStops:
    async def test_attempts_under_way_at_a_stop_are_not_repeated(self, tmp_path: Path) -> None:
        async with receiver() as there:
            there.slow = asyncio.Event()
            async with world(["Hello!"], path=tmp_path / "rs.db") as here:
                webhook = await here.project.create_webhook(WebhookRequest(url=there.url))
                await here.ended(await here.start())
                await here.clock.advance(1)
                await there.next()
                asyncio.get_running_loop().call_later(0.05, there.slow.set)
            async with world(path=tmp_path / "rs.db") as here:
                assert (await settled(here, webhook.id)).status == "delivered"
                assert len(there.requests) == 1

    async def test_a_hanging_attempt_does_not_delay_a_stop(self) -> None:
        async with telling(["Hello!"]) as (here, there, _):
            there.hangs = True
            await here.ended(await here.start())
            await here.clock.advance(1)
            await there.next()
            stopping = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - stopping < 4


class TestCrashes:
    async def test_deliveries_in_the_outbox_survive_a_crash(self, tmp_path: Path) -> None:
        async with receiver() as there:
            async with doomed(["Hello!"], tmp_path / "rs.db") as here:
                webhook = await here.project.create_webhook(WebhookRequest(url=there.url))
                run = await here.ended(await here.start())
            assert there.requests == []
            async with world(path=tmp_path / "rs.db") as here:
                await here.clock.advance(1)
                [told] = await there.next()
                assert (told.event["type"], told.event["data"]["id"]) == ("thread.run.completed", run.id)
                assert opens(told, webhook.signing_secret)
                assert (await settled(here, webhook.id)).status == "delivered"

    async def test_a_delivery_claimed_by_a_dead_process_is_sent_after_a_minute(self, tmp_path: Path) -> None:
        async with receiver() as there:
            there.hangs = True
            async with doomed(["Hello!"], tmp_path / "rs.db") as here:
                webhook = await here.project.create_webhook(WebhookRequest(url=there.url))
                await here.ended(await here.start())
                await here.clock.advance(1)
                await there.next()
            there.hangs = False
            async with world(path=tmp_path / "rs.db") as here:
                await here.clock.advance(60)
                assert len(there.requests) == 1
                await here.clock.advance(1)
                first, again = await there.next(2)
                assert first.event["id"] == again.event["id"]
                delivery = await settled(here, webhook.id, 2)
                assert (delivery.status, delivery.attempts) == ("delivered", 2)


async def test_the_official_client_verifies_deliveries() -> None:
    async with telling(["Hello!"], clock=SystemClock()) as (here, there, webhook):
        run = await here.ended(await here.start())
        [told] = await there.next()
        event: Any = OpenAI(api_key="unused").webhooks.unwrap(
            told.body, dict(told.headers), secret=webhook.signing_secret
        )
        assert (event.type, event.data.id) == ("thread.run.completed", run.id)
