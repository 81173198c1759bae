"""Deleted objects are hidden at once and then removed, with every copy of their text."""

from pathlib import Path
from typing import Any

import pytest

from runstead.domain.idempotency import Replay, digest, with_key, with_retry_count
from runstead.engine.check import examine
from runstead.engine.resources.project import Project
from runstead.llm.scripted import Gate, Turn, call, say
from runstead.store.port import Store, Tx
from runstead.store.sqlite import SqliteStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.error import NotFound
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import ToolOutput
from runstead.wire.webhook import WebhookRequest
from runstead.worker.maintenance.remove_deleted import remove_deleted_once
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.receiver import receiver
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, world

SECRET = "pomegranate"
TABLES = ("threads", "messages", "runs", "steps", "events", "deliveries", "deletions")
"""The tables in which nothing is left of a deleted thread."""
TURNS: list[Turn] = [call("weather", city=SECRET), f"The {SECRET} is ripe."]


@pytest.fixture(params=[adapter for adapter in ADAPTERS if adapter.name != "sqlite"], ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


def once(here: World, key: str) -> Project:
    """The project, for one call with an idempotency key."""
    return here.project.once(with_key(key, digest(key.encode())))


async def secret_run(here: World) -> Run:
    """A completed run in whose every part the secret is; each request has a key."""
    assistant_id = await here.assistant([WEATHER])
    first = [MessageRequest(role="user", content=f"What of the {SECRET}?", metadata={"said": SECRET})]
    thread = await once(here, "thread").create_thread(ThreadRequest(messages=first, metadata={"about": SECRET}))
    said = MessageRequest(role="user", content=f"Tell me of the {SECRET}.")
    await once(here, "message").create_message(thread.id, said)
    request = RunRequest(assistant_id=assistant_id, metadata={"run": SECRET}, additional_instructions=SECRET)
    run = await here.ended(await once(here, "run").create_run(thread.id, request))
    outputs = [ToolOutput(tool_call_id=each.tool_call_id, output=SECRET) for each in here.outputs(run)]
    await once(here, "outputs").submit_tool_output(thread.id, run.id, outputs)
    return await here.ended(run)


async def counts(store: Store) -> dict[str, int]:
    async def count(tx: Tx) -> dict[str, int]:
        session: Any = tx.threads._session  # type: ignore[attr-defined]
        return {table: (await session.row(f"SELECT count(*) FROM {table}"))[0] for table in TABLES}

    return await store.read(count)


async def everything(store: Store) -> bytes:
    """The contents of all tables, in bytes."""

    async def read(tx: Tx) -> bytes:
        session: Any = tx.threads._session  # type: ignore[attr-defined]
        rows = [row for table in (*TABLES, "answers") for row in await session.rows(f"SELECT * FROM {table}")]
        return b" ".join(
            value if isinstance(value, bytes) else str(value).encode() for row in rows for value in tuple(row)
        )

    return await store.read(read)


async def test_a_deleted_thread_is_hidden_at_once_and_then_removed_everywhere(any_store: Store) -> None:
    async with receiver() as there, world(TURNS, store=any_store) as here:
        await here.project.create_webhook(WebhookRequest(url=there.url))
        run = await secret_run(here)
        await here.clock.advance(1)
        await there.next(2)
        assert SECRET.encode() in await everything(any_store)
        [message, *_] = await here.messages(run)
        [step, *_] = await here.steps(run)
        await here.project.delete_thread(run.thread_id)
        project = here.project
        for gone in (
            project.get_thread(run.thread_id),
            project.messages(run.thread_id),
            project.get_message(run.thread_id, message.id),
            project.runs(run.thread_id),
            project.get_run(run.thread_id, run.id),
            project.run_steps(run.thread_id, run.id),
            project.run_step(run.thread_id, run.id, step.id),
            project.update_run(run.thread_id, run.id, {"a": "b"}),
            project.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id)),
            anext(aiter(project.run_events(run.thread_id, run.id))),
        ):
            with pytest.raises(NotFound, match=f"No thread found with id '{run.thread_id}'"):
                await gone
        assert (await project.threads()).data == []
        await here.clock.advance(60)
        await remove_deleted_once(here.adapters)
        assert SECRET.encode() not in await everything(any_store)
        assert set((await counts(any_store)).values()) == {0}


async def test_a_retry_of_a_request_about_a_deleted_thread_is_not_carried_out_again(any_store: Store) -> None:
    async with world(TURNS, store=any_store) as here:
        run = await secret_run(here)
        with pytest.raises(Replay) as repeated:
            await once(here, "run").create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id))
        assert repeated.value.answer.startswith(b'{"id":"%b","object":"thread.run"' % run.id.encode())
        await here.project.delete_thread(run.thread_id)
        await remove_deleted_once(here.adapters)
        with pytest.raises(NotFound, match="What this request made or changed was deleted"):
            await once(here, "thread").create_thread()
        assert (await here.project.threads()).data == []


@pytest.mark.parametrize("key", ["thread", "message", "run", "outputs"])
async def test_a_retry_is_not_answered_with_what_is_still_to_be_removed(any_store: Store, key: str) -> None:
    async with world(TURNS, store=any_store) as here:
        run = await secret_run(here)
        await here.project.delete_thread(run.thread_id)
        with pytest.raises(NotFound, match="What this request made or changed was deleted"):
            await once(here, key).create_thread()


async def test_a_counted_retry_is_not_taken_for_that_of_a_deleted_thread(any_store: Store) -> None:
    async with world(store=any_store) as here:
        first, second = (with_retry_count(count, digest(b"the same"), None) for count in (0, 1))
        deleted = await here.project.once(first).create_thread()
        await here.project.delete_thread(deleted.id)
        made = await here.project.once(second).create_thread()
        assert made.id != deleted.id


async def test_replies_do_not_wait_for_the_deliveries_of_a_deleted_thread(any_store: Store) -> None:
    async with receiver() as there, world(["Fine."], store=any_store) as here:
        there.statuses = [500] * 9
        await here.project.create_webhook(WebhookRequest(url=there.url))
        said = [MessageRequest(role="user", content="Hi", metadata={"said": SECRET})]
        thread = await once(here, "thread").create_thread(ThreadRequest(messages=said, metadata={"about": SECRET}))
        await here.ended(await here.project.create_run(thread.id, RunRequest(assistant_id=await here.assistant())))
        await here.project.delete_thread(thread.id)
        await remove_deleted_once(here.adapters)
        assert (await counts(any_store))["deliveries"] == 1
        assert SECRET.encode() not in await everything(any_store)


async def test_a_deleted_message_is_removed_everywhere(any_store: Store) -> None:
    async with world(["Fine."], store=any_store) as here:
        thread_id = await here.thread("Hi")
        said = await once(here, "message").create_message(thread_id, MessageRequest(role="user", content=SECRET))
        await here.project.delete_message(thread_id, said.id)
        assert SECRET.encode() not in await everything(any_store)
        with pytest.raises(NotFound, match="What this request made or changed was deleted"):
            await once(here, "message").create_message(thread_id, MessageRequest(role="user", content=SECRET))


async def test_a_deleted_assistant_is_in_no_recorded_reply(any_store: Store) -> None:
    async with world(store=any_store) as here:
        request = AssistantRequest(model="some-model", instructions=SECRET)
        made = await once(here, "assistant").create_assistant(request)
        assert SECRET.encode() in await everything(any_store)
        await here.project.delete_assistant(made.id)
        assert SECRET.encode() not in await everything(any_store)


async def test_a_long_queue_ends_with_its_thread(any_store: Store) -> None:
    gate = Gate()
    async with world([[say("Half"), gate]], store=any_store, max_queued=1000) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        for _ in range(150):
            await here.again(run, on_busy="enqueue")
        await here.project.delete_thread(run.thread_id)
        with pytest.raises(NotFound):
            await here.now(run)
        found: list[object] = []
        examined = await examine(any_store, found.append)
        assert (examined.runs, found) == (0, [])
        async with within():
            await here.model.closed.wait()
        await remove_deleted_once(here.adapters)
        assert set((await counts(any_store)).values()) == {0}


async def test_the_file_of_a_deleted_thread_has_no_byte_of_it(tmp_path: Path) -> None:
    path = tmp_path / "runstead.db"
    async with world(TURNS, store=SqliteStore(path)) as here:
        run = await secret_run(here)
        large = MessageRequest(role="user", content=f"{SECRET} " * 10_000)
        said = await here.project.create_message(run.thread_id, large)
        await here.project.delete_message(run.thread_id, said.id)
        await here.project.create_message(run.thread_id, large)
        kept = await here.thread("This stays.")
        await here.project.delete_thread(run.thread_id)
        await remove_deleted_once(here.adapters)
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"This stays." in content
    assert kept.encode() in content
    assert SECRET.encode() not in content


async def test_a_removal_goes_on_after_a_crash(any_store: Store) -> None:
    async with world(lambda _: "Fine.", store=any_store) as here:
        thread_id = await here.thread(*(f"Message {number}" for number in range(50)))
        for _ in range(3):
            await here.ended(await here.project.create_run(thread_id, RunRequest(assistant_id=await here.assistant())))
        await here.project.delete_thread(thread_id)
        parts = 0
        while await any_store.write(lambda tx: tx.deletions.remove(here.adapters.now(), 10, 10**6)):
            parts += 1
            found: list[object] = []
            await examine(any_store, found.append)
            assert found == [], "at no time is anything left over that belongs to nothing"
        assert parts > 5
        assert set((await counts(any_store)).values()) == {0}


async def test_a_part_of_a_removal_is_bounded_in_bytes(any_store: Store) -> None:
    async with world(store=any_store) as here:
        thread_id = await here.thread(*("x" * 100_000 for _ in range(20)))
        await here.project.delete_thread(thread_id)
        left = [20]
        while await any_store.write(lambda tx: tx.deletions.remove(here.adapters.now(), 500, 250_000)):
            left.append((await counts(any_store))["messages"])
        assert left[:4] == [20, 17, 14, 11]


async def test_the_deliveries_of_a_deleted_webhook_are_removed_in_parts(any_store: Store) -> None:
    async with receiver() as there, world(lambda _: "Fine.", store=any_store) as here:
        kept, deleted = [await here.project.create_webhook(WebhookRequest(url=there.url)) for _ in range(2)]
        for _ in range(25):
            await here.ended(await here.start())
        await here.project.delete_webhook(deleted.id)
        with pytest.raises(NotFound):
            await here.project.webhook_deliveries(deleted.id)
        left = []
        while await any_store.write(lambda tx: tx.deletions.remove(here.adapters.now(), 10, 10**6)):
            left.append((await counts(any_store))["deliveries"])
        assert left == [40, 30, 25]
        assert len((await here.project.webhook_deliveries(kept.id, 100)).data) == 25
