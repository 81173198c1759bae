"""The outbox of webhooks, over every store."""

from functools import partial
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from runstead.domain import webhooks
from runstead.domain.run.change import Change, run_event
from runstead.domain.webhooks import Outcome
from runstead.store.port import Attempt, Store, Tx, WebhookRow
from runstead.store.tables.body import encode
from runstead.wire.event import EventName
from runstead.wire.run import Run, Status
from runstead.wire.webhook import Webhook, WebhookDelivery
from tests.store.things import MINE, THEIRS, asked, becomes, created, remove_deleted, run

DELIVERED = Outcome(status="delivered", ended_at=200, status_code=204)


def webhook(id: str = "webhook_1", at: int = 100, **fields: Any) -> Webhook:
    events = ["thread.run.completed", "thread.run.failed"]
    return Webhook(id=id, created_at=at, updated_at=at, url="https://example.com", **{"event_types": events, **fields})


class Note(NamedTuple):
    """An event of a run of its own."""

    number: int = 1
    event_type: str = "thread.run.completed"

    @property
    def payload(self) -> bytes:
        return webhooks.payload(f"evt_{self.number}_1", self.event_type, encode(self.ended), 100)

    @property
    def ended(self) -> Run:
        """The run as its event shows it."""
        return becomes(run(f"run_{self.number}", thread_id=f"thread_{self.number}"), Status.COMPLETED)


note = Note


async def add(store: Store, *webhooks: Webhook, project: str = MINE) -> None:
    async def work(tx: Tx) -> None:
        for each in webhooks:
            await tx.webhooks.insert(project, each)

    await store.write(work)


async def noted(store: Store, *notes: Note, project: str = MINE) -> None:
    async def work(tx: Tx) -> None:
        for each in notes:
            await happen(tx, each, project)

    await store.write(work)


async def happen(tx: Tx, note: Note, project: str = MINE) -> None:
    """A run reports an event, and is done."""
    row = await created(tx, project, becomes(note.ended, Status.QUEUED), ())
    told = run_event(note.ended, EventName(note.event_type))
    await tx.runs.apply(row, Change(run=note.ended, events=[told]), 100)


async def listed(store: Store, webhook_id: str = "webhook_1") -> list[WebhookDelivery]:
    page = await store.read(lambda tx: tx.webhooks.deliveries(MINE, webhook_id, asked(100, "asc")))
    assert page is not None
    return page.data


async def take(store: Store, now: int = 100, limit: int = 10, webhook_id: str = "webhook_1") -> list[Attempt]:
    taken = await store.write(lambda tx: tx.webhooks.claim(webhook_id, now, now + 60, limit))
    return [] if taken is None else taken[1]


async def judge(attempt: Attempt, tx: Tx) -> None:
    await tx.webhooks.record("webhook_1", attempt, DELIVERED)


class TestWebhooks:
    async def test_a_webhook_is_kept_with_the_generation_of_its_secret(self, store: Store) -> None:
        await add(store, webhook())
        assert await store.read(lambda tx: tx.webhooks.get(MINE, "webhook_1")) == WebhookRow(webhook=webhook())
        changed = WebhookRow(webhook=webhook(name="Ann"), generation=2, old_until=500)
        assert await store.write(lambda tx: tx.webhooks.replace(MINE, changed))
        assert await store.read(lambda tx: tx.webhooks.get(MINE, "webhook_1")) == changed

    async def test_it_is_its_projects_own(self, store: Store) -> None:
        await add(store, webhook())
        assert await store.read(lambda tx: tx.webhooks.get(THEIRS, "webhook_1")) is None
        assert not await store.write(lambda tx: tx.webhooks.replace(THEIRS, WebhookRow(webhook=webhook())))
        assert not await store.write(lambda tx: tx.webhooks.delete(THEIRS, "webhook_1", 100))
        assert await store.read(lambda tx: tx.webhooks.count(THEIRS)) == 0
        assert await store.read(lambda tx: tx.webhooks.count(MINE)) == 1

    async def test_they_are_listed_in_pages(self, store: Store) -> None:
        await add(store, *(webhook(f"webhook_{number}") for number in range(5)))
        page = await store.read(lambda tx: tx.webhooks.page(MINE, asked(2, after="webhook_3")))
        assert page is not None
        assert ([each.id for each in page.data], page.has_more) == (["webhook_2", "webhook_1"], True)

    async def test_a_deleted_one_takes_its_deliveries_with_it(self, store: Store) -> None:
        await add(store, webhook(), webhook("webhook_2"))
        await noted(store, note())
        assert await store.write(lambda tx: tx.webhooks.delete(MINE, "webhook_1", 100))
        assert await store.read(lambda tx: tx.webhooks.due(100)) == ["webhook_2"]
        await remove_deleted(store)
        assert await listed(store) == []
        assert await store.read(lambda tx: tx.webhooks.due(100)) == ["webhook_2"]


class TestEnqueueing:
    async def test_an_event_is_enqueued_for_every_webhook_that_subscribes_to_it(self, store: Store) -> None:
        await add(
            store,
            webhook(),
            webhook("webhook_2", event_types=["thread.run.incomplete"]),
            webhook("webhook_3", enabled=False),
            webhook("webhook_4"),
        )
        await add(store, webhook("webhook_5"), project=THEIRS)
        await noted(store, note())
        assert await store.read(lambda tx: tx.webhooks.due(100)) == ["webhook_1", "webhook_4"]
        [delivery] = await listed(store)
        assert delivery == WebhookDelivery(
            id="evt_1_1",
            created_at=100,
            webhook_id="webhook_1",
            event_type="thread.run.completed",
            thread_id="thread_1",
            run_id="run_1",
            next_attempt_at=100,
        )

    async def test_without_webhooks_nothing_is_written(self, store: Store) -> None:
        await noted(store, note())
        assert await store.read(lambda tx: tx.webhooks.due(10**9)) == []

    async def test_a_rolled_back_change_enqueues_nothing(self, store: Store) -> None:
        await add(store, webhook())

        async def fails(tx: Any) -> None:
            await happen(tx, note())
            raise KeyError

        with pytest.raises(KeyError):
            await store.write(fails)
        assert await listed(store) == []

    async def test_deliveries_are_listed_in_pages(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, *(note(number) for number in range(5)))
        page = await store.read(lambda tx: tx.webhooks.deliveries(MINE, "webhook_1", asked(2, after="evt_3_1")))
        assert page is not None
        assert ([each.id for each in page.data], page.has_more) == (["evt_2_1", "evt_1_1"], True)
        unknown = await store.read(lambda tx: tx.webhooks.deliveries(MINE, "webhook_1", asked(2, after="evt_9_1")))
        assert unknown is None


class TestClaiming:
    async def test_a_due_delivery_is_claimed_once(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, *(note(number) for number in range(3)))
        first = await take(store, limit=2)
        assert sorted((each.id, each.attempts, each.tries, each.payload) for each in first) == [
            ("evt_0_1", 1, 1, note(0).payload), ("evt_1_1", 1, 1, note(1).payload),
        ]  # fmt: skip
        assert [each.id for each in await take(store)] == ["evt_2_1"]
        assert await take(store) == []
        assert await store.read(lambda tx: tx.webhooks.due(100)) == []

    async def test_a_claimed_delivery_without_an_outcome_is_due_again(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, note())
        await take(store, now=100)
        assert await take(store, now=159) == []
        assert await store.read(lambda tx: tx.webhooks.due(160)) == ["webhook_1"]
        [again] = await take(store, now=160)
        assert (again.attempts, again.tries) == (2, 2)

    async def test_only_the_later_claim_records_an_outcome(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, note())
        [slow] = await take(store, now=100)
        [quick] = await take(store, now=160)
        assert not await store.write(lambda tx: tx.webhooks.record("webhook_1", slow, DELIVERED))
        assert await store.write(lambda tx: tx.webhooks.record("webhook_1", quick, DELIVERED))
        assert not await store.write(lambda tx: tx.webhooks.record("webhook_1", quick, DELIVERED))
        [delivery] = await listed(store)
        assert (delivery.status, delivery.attempts, delivery.status_code) == ("delivered", 2, 204)
        assert (delivery.ended_at, delivery.next_attempt_at) == (200, None)

    async def test_a_failed_delivery_is_due_when_its_outcome_says(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, note())
        [attempt] = await take(store)
        verdict = Outcome(status="pending", next_at=130, status_code=500, error="No.")
        await store.write(lambda tx: tx.webhooks.record("webhook_1", attempt, verdict))
        [delivery] = await listed(store)
        assert (delivery.status, delivery.next_attempt_at, delivery.error) == ("pending", 130, "No.")
        assert await take(store, now=129) == []
        assert len(await take(store, now=130)) == 1

    async def test_one_that_is_not_enabled_waits(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, note())
        off, on = WebhookRow(webhook=webhook(enabled=False)), WebhookRow(webhook=webhook())
        await store.write(lambda tx: tx.webhooks.replace(MINE, off))
        assert await store.read(lambda tx: tx.webhooks.due(100)) == []
        assert await take(store) == []
        await store.write(lambda tx: tx.webhooks.replace(MINE, on))
        assert len(await take(store)) == 1

    async def test_a_claim_returns_the_webhook(self, store: Store) -> None:
        await add(store, webhook())
        row = replace(WebhookRow(webhook=webhook()), generation=3, old_until=9)
        await store.write(lambda tx: tx.webhooks.replace(MINE, row))
        assert await store.write(lambda tx: tx.webhooks.claim("webhook_1", 100, 160, 1)) == (row, [])
        assert await store.write(lambda tx: tx.webhooks.claim("webhook_2", 100, 160, 1)) is None


class TestReplay:
    async def test_one_that_ended_is_due_again_as_if_it_were_new(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, note())
        [attempt] = await take(store)
        await store.write(lambda tx: tx.webhooks.record("webhook_1", attempt, DELIVERED))
        delivery = await store.write(lambda tx: tx.webhooks.replay(MINE, "webhook_1", "evt_1_1", 300))
        assert delivery is not None
        assert (delivery.status, delivery.next_attempt_at, delivery.ended_at) == ("pending", 300, None)
        [again] = await take(store, now=300)
        assert (again.attempts, again.tries, again.payload) == (2, 1, note().payload)

    async def test_a_missing_delivery_cannot_be_replayed(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, note())
        assert await store.write(lambda tx: tx.webhooks.replay(MINE, "webhook_1", "evt_9_1", 300)) is None
        assert await store.write(lambda tx: tx.webhooks.replay(THEIRS, "webhook_1", "evt_1_1", 300)) is None


class TestPruning:
    async def test_deliveries_that_ended_are_pruned_a_few_at_once(self, store: Store) -> None:
        await add(store, webhook())
        await noted(store, *(note(number) for number in range(4)))
        for attempt in await take(store, limit=3):
            await store.write(partial(judge, attempt))
        assert await store.write(lambda tx: tx.webhooks.prune(200, 10)) == 0
        assert await store.write(lambda tx: tx.webhooks.prune(201, 2)) == 2
        assert await store.write(lambda tx: tx.webhooks.prune(201, 2)) == 1
        assert [each.status for each in await listed(store)] == ["pending"]
