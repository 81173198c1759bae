"""Webhooks, with several processes over one database: one of them delivers each event, and nothing is left over."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

from runstead.domain.run.change import Change
from runstead.store.port import Tx
from runstead.store.postgres import PostgresStore
from runstead.wire.event import EventName
from runstead.wire.run import RunRequest, Status
from runstead.wire.webhook import Webhook, WebhookRequest
from tests.store.postgres.conftest import Make, Waiting
from tests.store.things import MINE, asked, becomes, created, event, remove_deleted, run
from tests.support.clock import ManualClock
from tests.support.receiver import receiver
from tests.support.waiting import until, within
from tests.support.worlds import world


async def test_of_two_processes_one_delivers(make: Make) -> None:
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(within())
        there = await stack.enter_async_context(receiver())
        here, _ = [
            await stack.enter_async_context(world(lambda _: "Hello!", store=make(connections=4), clock=clock))
            for _ in range(2)
        ]
        webhook = await here.project.create_webhook(WebhookRequest(url=there.url))
        request = RunRequest(assistant_id=await here.assistant())
        threads = await asyncio.gather(*(here.thread("Hi") for _ in range(30)))
        runs = await asyncio.gather(*(here.project.create_run(each, request) for each in threads))
        await asyncio.gather(*(here.ended(each) for each in runs))
        await clock.advance(1)

        async def all_told() -> bool:
            page = await here.project.webhook_deliveries(webhook.id, 100)
            return [each.status for each in page.data].count("delivered") == 30

        await until(all_told)
        assert Counter(told.event["data"]["id"] for told in there.requests) == Counter(each.id for each in runs)
        page = await here.project.webhook_deliveries(webhook.id, 100)
        assert {each.attempts for each in page.data} == {1}


async def test_a_delivery_of_one_process_is_sent_by_another(make: Make) -> None:
    async with within(), receiver() as there:
        async with world(["Hello!"], store=make()) as here:
            await here.project.create_webhook(WebhookRequest(url=there.url))
            run = await here.ended(await here.start())
        assert there.requests == []
        async with world(store=make()) as here:
            await here.clock.advance(1)
            [told] = await there.next()
        assert told.event["data"]["id"] == run.id


async def test_a_delivery_enqueued_while_its_webhook_is_deleted_leaves_nothing(
    first: PostgresStore, second: PostgresStore, waiting: Waiting
) -> None:
    webhook = Webhook(
        id="webhook_1", created_at=1, updated_at=1, url="https://example.com", event_types=["thread.run.completed"]
    )
    await first.write(lambda tx: tx.webhooks.insert(MINE, webhook))
    noted, deleting = asyncio.Event(), asyncio.Event()

    async def takes_its_time(tx: Tx) -> None:
        row = await created(tx, MINE, run(), ())
        done = Change(run=becomes(row.run, Status.COMPLETED), events=[event(EventName.RUN_COMPLETED)])
        await tx.runs.apply(row, done, 100)
        noted.set()
        await deleting.wait()

    async with within(), asyncio.TaskGroup() as group:
        group.create_task(first.write(takes_its_time))
        await noted.wait()
        gone = group.create_task(second.write(lambda tx: tx.webhooks.delete(MINE, "webhook_1", 100)))
        await waiting(1)
        deleting.set()
    assert gone.result()
    await remove_deleted(first)
    page = await first.read(lambda tx: tx.webhooks.deliveries(MINE, "webhook_1", asked()))
    assert page is not None
    assert page.data == []
