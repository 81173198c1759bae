"""Events are stored without what other rows have. A reader gets them byte for byte as they were published."""

from pathlib import Path

import msgspec
import pytest

from runstead.interface.streams import RunEventStream
from runstead.llm.scripted import call
from runstead.store.port import Store, Tx
from runstead.wire.event import EVENT_DATA, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import Run, RunRequest
from runstead.wire.run_step import RunStep
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.large_run import large_assistant, large_run, noise, tool_rounds
from tests.support.worlds import WEATHER, World, world


@pytest.fixture(params=[adapter for adapter in ADAPTERS if adapter.name != "sqlite"], ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


async def replayed(here: World, run: Run) -> list[RawEvent]:
    stream = here.project.stream(RunEventStream(run.thread_id, run.id, None))
    return [event async for batch in stream for event in batch]


def objects(events: list[RawEvent], kind: type[Run | RunStep | Message]) -> list[bytes]:
    return [event.data for event in events if EVENT_DATA[event.name] is kind]


async def test_a_replay_shows_each_state_of_the_run_with_its_settings(any_store: Store) -> None:
    async with world([call("weather"), "Sunny."], store=any_store) as here:
        assistant_id = await here.assistant([WEATHER], instructions="Be brief. ü")
        request = RunRequest(assistant_id=assistant_id, metadata={"a": "1"}, max_total_tokens=9000)
        run = await here.project.create_run(await here.thread("Hi"), request)
        seen = [msgspec.json.encode(run)]
        waiting = await here.ended(run)
        seen.append(msgspec.json.encode(waiting))
        await here.project.update_run(run.thread_id, run.id, {"a": "2"})
        ended = await here.ended(await here.submit(waiting))
        await here.project.update_run(run.thread_id, run.id, {"a": "3"})
        shown = objects(await replayed(here, run), Run)
        assert shown[0] == shown[1] == seen[0]
        assert seen[1] in shown
        assert shown[-1] == msgspec.json.encode(ended)
        for data in shown:
            assert data == msgspec.json.encode(msgspec.json.decode(data, type=Run)), "in the order of the wire"


async def test_a_replay_shows_messages_and_steps_as_they_ended(any_store: Store) -> None:
    async with world([[call("weather")], "Sunny."], store=any_store) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.ended(await here.submit(run))
        [written] = await here.written(run)
        steps = await here.steps(run)
        events = await replayed(here, run)
        assert objects(events, Message)[-1] == msgspec.json.encode(written)
        completed = [event.data for event in events if event.name == "thread.run.step.completed"]
        assert completed == [msgspec.json.encode(step) for step in steps]
        await here.project.update_message(run.thread_id, written.id, {"a": "b"})
        assert objects(await replayed(here, run), Message)[-1] == msgspec.json.encode(written), "as it was then"


async def test_a_replay_shows_a_deleted_message_without_its_content(any_store: Store) -> None:
    async with world(["The secret."], store=any_store) as here:
        run = await here.ended(await here.start())
        [written] = await here.written(run)
        await here.project.delete_message(run.thread_id, written.id)
        last = msgspec.json.decode(objects(await replayed(here, run), Message)[-1], type=Message)
        assert (last.id, last.status, last.content) == (written.id, "completed", [])


async def test_events_of_versions_that_stored_them_whole_are_read(any_store: Store) -> None:
    async with world([call("weather"), "Sunny."], store=any_store) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        run = await here.ended(await here.submit(run))
        events = await replayed(here, run)
        whole = b"[%b]" % b",".join(b'["%b",%b]' % (each.name.encode(), each.data) for each in events)

        async def store_whole(tx: Tx) -> None:
            session = tx.threads._session  # type: ignore[attr-defined]
            await session.execute("DELETE FROM events WHERE run_id = :id AND first > 1", id=run.id)
            columns = {"last": len(events), "body": whole, "id": run.id}
            await session.execute("UPDATE events SET last = :last, body = :body WHERE run_id = :id", **columns)

        await here.adapters.store.write(store_whole)
        assert await replayed(here, run) == events


async def test_a_long_replay_is_given_out_in_parts(any_store: Store) -> None:
    async with world(tool_rounds(rounds=40), store=any_store) as here:
        run = await large_run(here, await large_assistant(here))
        stream = here.project.stream(RunEventStream(run.thread_id, run.id, None))
        sizes = [sum(len(event.data) for event in batch) async for batch in stream]
        assert sum(sizes) > 10 * 2**20
        assert max(sizes) < 2**20


@pytest.mark.parametrize("size", [1, 20_000, 10**6])
async def test_a_page_of_events_is_bounded_in_bytes(any_store: Store, size: int) -> None:
    async with world([noise(10_000, n) for n in range(1)], store=any_store) as here:
        run = await here.ended(await here.start())
        after, pages = 0, []
        while page := await here.adapters.store.read(lambda tx: tx.events.after(run.id, after, 100, size)):  # noqa: B023
            pages.append(page)
            after = page[-1].at.seq
        assert [event.at.seq for page in pages for event in page] == list(range(1, len(await replayed(here, run)) + 1))
        lengths = [[len(event.data) for event in page] for page in pages]
        assert all(sum(each) <= max(size, *each) + 2000 for each in lengths)
