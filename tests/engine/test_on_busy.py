"""`on_busy`: a run or message for a thread with an active run is refused, queued, or interrupts it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from runstead.llm.scripted import Gate, Turn, call, fail, say
from runstead.store.port import Store, Tx
from runstead.wire.error import BadRequest
from runstead.wire.message import Message, MessageRequest
from runstead.wire.options import OnBusy
from runstead.wire.run import Run, RunRequest, Status, ThreadRunRequest
from runstead.wire.struct import UNSET, SortOrder
from runstead.wire.thread import ThreadRequest, ThreadUpdate
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, names, text_of, world


@pytest.fixture(params=[adapter for adapter in ADAPTERS if adapter.name != "sqlite"], ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


@asynccontextmanager
async def busy(script: Sequence[Turn], **outside: Any) -> AsyncIterator[tuple[World, Run, Gate]]:
    """A world whose first run writes "One" and then waits at a gate; later runs follow the script."""
    gate = Gate()
    async with world([[say("One"), gate], *script], **outside) as here:
        run = await here.start("First")
        async with within():
            await gate.reached.wait()
        yield here, run, gate


def said(text: str, **fields: Any) -> MessageRequest:
    return MessageRequest(role="user", content=text, **fields)


async def add(here: World, run: Run, text: str, on_busy: OnBusy = "enqueue") -> Message:
    return await here.project.create_message(run.thread_id, said(text, on_busy=on_busy))


async def follow_up(here: World, run: Run, *texts: str, on_busy: OnBusy = "enqueue") -> Run:
    """Another run on the thread, with additional messages of the user."""
    return await here.again(run, additional_messages=[said(text) for text in texts] or UNSET, on_busy=on_busy)


async def listed(here: World, run: Run) -> list[str]:
    return [text_of(message) for message in await here.messages(run)]


def prompt(here: World, number: int) -> list[str]:
    """The messages of the model call with this number, from 0."""
    return [message["content"] for message in here.model.requests[number].messages]


async def statuses(here: World, *runs: Run) -> list[str]:
    return [(await here.now(run)).status for run in runs]


async def refusal(answer: Awaitable[object]) -> BadRequest:
    with pytest.raises(BadRequest) as refused:
        await answer
    return refused.value


async def test_a_run_is_queued_until_its_predecessor_has_ended(any_store: Store) -> None:
    async with busy(["Two"], store=any_store) as (here, run, gate):
        later = await follow_up(here, run, "Second")
        assert (later.status, later.started_at) == (Status.QUEUED, None)
        assert later == await here.now(later)
        assert (await here.project.runs(run.thread_id)).data == [later, await here.now(run)]
        assert len(here.model.requests) == 1
        gate.open()
        assert (await here.ended(later)).status == "completed"
        assert await statuses(here, run) == ["completed"]
        assert prompt(here, 1) == ["First", "One", "Second"]
        assert await listed(here, run) == ["First", "One", "Second", "Two"]


async def test_a_queued_run_has_the_events_of_any_run(any_store: Store) -> None:
    async with busy(["Two"], store=any_store) as (here, run, gate):
        request = RunRequest(assistant_id=run.assistant_id, on_busy="enqueue")
        stream = here.project.create_streaming_run(run.thread_id, request)
        async with within():
            events = [await anext(stream), await anext(stream)]
            assert names(events) == ["run.created", "run.queued"]
            gate.open()
            events += [event async for event in stream]
        assert names(events)[2:5] == ["run.in_progress", "run.step.created", "run.step.in_progress"]
        assert names(events)[-1] == "run.completed"


async def test_each_queued_run_gets_the_messages_before_it_and_none_after_it(any_store: Store) -> None:
    async with busy(["Two", "Three"], store=any_store) as (here, run, gate):
        await add(here, run, "a")
        second = await follow_up(here, run, "b", "c")
        await add(here, run, "d")
        await add(here, run, "e")
        third = await follow_up(here, run)
        await add(here, run, "f")
        assert await listed(here, run) == ["First", "", "a", "b", "c", "d", "e", "f"]
        gate.open()
        await here.ended(second)
        await here.ended(third)
        assert prompt(here, 1) == ["First", "One", "a", "b", "c"]
        assert prompt(here, 2) == ["First", "One", "a", "b", "c", "Two", "d", "e"]
        assert await listed(here, run) == ["First", "One", "a", "b", "c", "Two", "d", "e", "Three", "f"]


async def test_concurrent_runs_execute_one_by_one_in_the_order_of_creation(any_store: Store) -> None:
    async with busy([f"{number}!" for number in range(10)], store=any_store) as (here, run, gate):
        runs = await asyncio.gather(*(follow_up(here, run, f"{number}") for number in range(10)))
        gate.open()
        ends = [await here.ended(each) for each in runs]
        assert {end.status for end in ends} == {Status.COMPLETED}
        came = [prompt(here, number)[-1] for number in range(1, 11)]
        assert sorted(came) == [f"{number}" for number in range(10)]
        answered = [text for number, asked in enumerate(came) for text in (asked, f"{number}!")]
        assert await listed(here, run) == ["First", "One", *answered]
        by_creation = (await here.project.runs(run.thread_id, order=SortOrder.ASC)).data[1:]
        created = [[each.id for each in runs].index(each.id) for each in by_creation]
        assert created == [int(asked) for asked in came]


@pytest.mark.parametrize("on_busy", ["enqueue", "interrupt"])
async def test_on_busy_changes_nothing_on_an_idle_thread(any_store: Store, on_busy: OnBusy) -> None:
    async with world(["One"], store=any_store) as here:
        run = await here.start("First", on_busy=on_busy)
        await here.ended(run)
        await add(here, run, "Second", on_busy)
        assert await listed(here, run) == ["First", "One", "Second"]
        empty = await here.thread()
        refused = await refusal(
            here.project.create_run(empty, RunRequest(assistant_id=run.assistant_id, on_busy=on_busy))
        )
        assert refused.code == "invalid_thread"


async def cancelled(here: World, run: Run, _gate: Gate) -> None:
    await here.project.cancel(run.thread_id, run.id)


async def expired(here: World, _run: Run, _gate: Gate) -> None:
    await here.clock.advance(600)


async def failed(_here: World, _run: Run, gate: Gate) -> None:
    gate.open()


@pytest.mark.parametrize("how", [cancelled, expired, failed])
async def test_the_next_run_starts_however_its_predecessor_ended(
    any_store: Store, how: Callable[[World, Run, Gate], Awaitable[None]]
) -> None:
    gate = Gate()
    async with world([[say("One"), gate, fail("Broken")], "Two"], store=any_store) as here:
        run = await here.start("First")
        async with within():
            await gate.reached.wait()
        later = await here.again(run, on_busy="enqueue", expires_after=1000)
        await how(here, run, gate)
        assert (await here.ended(run)).status == how.__name__
        assert (await here.ended(later)).status == "completed"
        assert await listed(here, run) == ["First", "One", "Two"]


async def test_a_run_in_requires_action_keeps_the_queue_waiting(any_store: Store) -> None:
    async with world([call("weather"), "Sunny", "Two"], store=any_store) as here:
        run = await here.ended(await here.start("First", tools=[WEATHER]))
        later = await follow_up(here, run, "Second")
        assert await statuses(here, run, later) == ["requires_action", "queued"]
        await here.submit(run)
        assert (await here.ended(later)).status == "completed"
        assert await listed(here, run) == ["First", "Sunny", "Second", "Two"]


async def test_runs_behind_a_cancelled_queued_run_move_up(any_store: Store) -> None:
    async with busy(["Two", "Three"], store=any_store) as (here, run, gate):
        second = await follow_up(here, run, "a")
        await add(here, run, "b")
        third = await follow_up(here, run, "c")
        fourth = await follow_up(here, run, "d")
        stopping = await here.project.cancel(second.thread_id, second.id)
        assert stopping.status == "cancelling"
        assert names(await here.events(second)) == ["run.created", "run.queued", "run.cancelling", "run.cancelled"]
        assert await statuses(here, run, second, third, fourth) == ["in_progress", "cancelled", "queued", "queued"]
        assert len(here.model.requests) == 1
        gate.open()
        await here.ended(fourth)
        assert prompt(here, 1) == ["First", "One", "a", "b", "c"]
        assert await listed(here, run) == ["First", "One", "a", "b", "c", "Two", "d", "Three"]


async def test_a_queued_run_expires(any_store: Store) -> None:
    async with busy(["Two"], store=any_store) as (here, run, gate):
        second = await here.again(run, on_busy="enqueue", expires_after=60)
        third = await follow_up(here, run)
        await here.clock.advance(60)
        assert (await here.ended(second)).status == "expired"
        gate.open()
        assert (await here.ended(third)).status == "completed"


async def test_metadata_of_queued_runs_and_messages_is_kept(any_store: Store) -> None:
    async with busy(["Two"], store=any_store) as (here, run, gate):
        message = await add(here, run, "a")
        assert await here.project.get_message(run.thread_id, message.id) == message
        later = await follow_up(here, run)
        noted = await here.project.update_message(run.thread_id, message.id, {"a": "b"})
        await here.project.update_run(later.thread_id, later.id, {"c": "d"})
        assert await statuses(here, later) == ["queued"]
        gate.open()
        assert (await here.ended(later)).metadata == {"c": "d"}
        assert await here.project.get_message(run.thread_id, message.id) == noted


async def test_a_waiting_message_keeps_its_creation_time(any_store: Store) -> None:
    async with busy([], store=any_store) as (here, run, gate):
        message = await add(here, run, "a")
        here.clock.slip(10)
        gate.open()
        await here.ended(run)
        assert (await here.messages(run))[-1] == message


async def test_waiting_messages_are_listed_last(any_store: Store) -> None:
    async with busy([call("weather")], store=any_store) as (here, run, gate):
        waiting = [(await add(here, run, text)).id for text in "abc"]
        here.clock.slip(10)
        later = await follow_up(here, run, "d")
        for _ in range(2):
            messages = await here.messages(run)
            assert [message.id for message in messages[2:5]] == waiting
            ids = [message.id for message in messages]
            found: list[str] = []
            while len(found) < len(ids):
                after = found[-1] if found else None
                page = await here.project.messages(run.thread_id, 2, SortOrder.ASC, after=after)
                found += [message.id for message in page.data]
                assert page.has_more is (found != ids)
            assert found == ids
            back = await here.project.messages(run.thread_id, 3, SortOrder.DESC, after=waiting[2])
            assert [message.id for message in back.data] == [waiting[1], waiting[0], ids[1]]
            gate.open()
            await here.ended(later)


async def test_a_waiting_message_cannot_be_deleted_while_a_run_is_active(any_store: Store) -> None:
    async with busy([], store=any_store) as (here, run, gate):
        message = await add(here, run, "a")
        refused = await refusal(here.project.delete_message(run.thread_id, message.id))
        assert refused.message == f"Can't add messages to {run.thread_id} while a run {run.id} is active."
        gate.open()
        await here.ended(run)
        await here.project.delete_message(run.thread_id, message.id)
        assert await listed(here, run) == ["First", "One"]


async def test_an_interrupt_cancels_the_active_run_and_goes_before_the_queue(any_store: Store) -> None:
    async with busy(["New", "Two"], store=any_store) as (here, run, _):
        await add(here, run, "a")
        waiting = await follow_up(here, run, "b")
        await add(here, run, "c")
        new = await follow_up(here, run, "d", on_busy="interrupt")
        assert new.status == "queued"
        assert [(await here.ended(each)).status for each in (run, new, waiting)] == [
            "cancelled",
            "completed",
            "completed",
        ]
        assert prompt(here, 1) == ["First", "One", "a", "d"]
        assert prompt(here, 2) == ["First", "One", "a", "d", "New", "b"]
        assert await listed(here, run) == ["First", "One", "a", "d", "New", "b", "Two", "c"]


async def test_an_interrupt_cancels_a_run_in_requires_action_at_once(any_store: Store) -> None:
    async with world([call("weather"), "Two"], store=any_store) as here:
        run = await here.ended(await here.start("First", tools=[WEATHER]))
        new = await follow_up(here, run, "Second", on_busy="interrupt")
        assert await statuses(here, run) == ["cancelled"]
        assert (await here.ended(new)).status == "completed"
        assert prompt(here, 1) == ["First", "Second"]


async def test_an_interrupt_waits_for_the_end_of_a_cancelling_run(any_store: Store) -> None:
    async with busy(["New", "Two"], store=any_store) as (here, run, _):
        waiting = await follow_up(here, run, "Second")
        executing = here.worker._executor._executing
        task = executing.pop(run.id)  # the worker does not receive the cancel
        cancelling = await here.project.cancel(run.thread_id, run.id)
        new = await follow_up(here, run, "Third", on_busy="interrupt")
        assert cancelling.status == "cancelling"
        assert await statuses(here, run, new, waiting) == ["cancelling", "queued", "queued"]
        executing[run.id] = task
        await here.clock.advance(1)
        for each in (new, waiting):
            await here.ended(each)
        assert await listed(here, run) == ["First", "One", "Third", "New", "Second", "Two"]


async def test_a_message_may_interrupt(any_store: Store) -> None:
    async with busy(["Two"], store=any_store) as (here, run, _):
        await add(here, run, "Stop!", "interrupt")
        later = await follow_up(here, run)
        assert (await here.ended(run)).status == "cancelled"
        await here.ended(later)
        assert prompt(here, 1) == ["First", "One", "Stop!"]


async def test_a_message_may_interrupt_a_run_in_requires_action(any_store: Store) -> None:
    async with world([call("weather")], store=any_store) as here:
        run = await here.ended(await here.start("First", tools=[WEATHER]))
        await add(here, run, "Stop!", "interrupt")
        assert await statuses(here, run) == ["cancelled"]
        assert await listed(here, run) == ["First", "Stop!"]


async def test_deleting_a_thread_ends_the_streams_of_its_queued_runs(any_store: Store) -> None:
    async with busy([], store=any_store) as (here, run, _):
        runs = [await follow_up(here, run, f"{number}") for number in range(3)]
        streams = [here.project.run_events(each.thread_id, each.id) for each in runs]
        begun = [await anext(stream) for stream in streams]
        await here.project.delete_thread(run.thread_id)
        async with within():
            for first, stream in zip(begun, streams, strict=True):
                events = [first, *[event async for event in stream]]
                assert names(events) == ["run.created", "run.queued", "run.cancelling", "run.cancelled"]
        for each in runs:
            assert await here.adapters.store.read(partial(find, each)) is None


def find(run: Run, tx: Tx) -> Awaitable[object]:
    return tx.runs.load(run.id)


async def test_a_thread_queue_survives_a_restart(tmp_path: Path) -> None:
    async with busy([], path=tmp_path / "rs.db") as (here, run, _):
        await add(here, run, "a")
        later = await follow_up(here, run, "b")
    async with world(["One", "Two"], path=tmp_path / "rs.db") as here:
        assert [(await here.ended(each)).status for each in (run, later)] == ["completed", "completed"]
        assert prompt(here, 1)[-3:] == ["One", "a", "b"]


@pytest.mark.parametrize(
    ("request_value", "thread_value", "server_value", "expected"),
    [
        (UNSET, UNSET, "reject", "reject"),
        (UNSET, UNSET, "enqueue", "enqueue"),
        (None, UNSET, "enqueue", "enqueue"),
        (UNSET, "enqueue", "reject", "enqueue"),
        (None, "enqueue", "reject", "enqueue"),
        ("enqueue", "reject", "reject", "enqueue"),
        ("reject", "enqueue", "enqueue", "reject"),
        (UNSET, "reject", "enqueue", "reject"),
    ],
)
async def test_on_busy_of_the_request_precedes_that_of_the_thread_and_the_server(
    request_value: Any, thread_value: Any, server_value: OnBusy, expected: str
) -> None:
    async with busy(["Two"], on_busy=server_value) as (here, run, gate):
        await here.project.update_thread(run.thread_id, ThreadUpdate(on_busy=thread_value))
        message, request = (
            said("a", on_busy=request_value),
            RunRequest(assistant_id=run.assistant_id, on_busy=request_value),
        )
        if expected == "reject":
            locked = await refusal(here.project.create_message(run.thread_id, message))
            assert locked.message == f"Can't add messages to {run.thread_id} while a run {run.id} is active."
            refused = await refusal(here.project.create_run(run.thread_id, request))
            assert refused.message == f"Thread {run.thread_id} already has an active run {run.id}."
        else:
            await here.project.create_message(run.thread_id, message)
            later = await here.project.create_run(run.thread_id, request)
            gate.open()
            assert (await here.ended(later)).status == "completed"


async def test_the_error_names_the_active_run_not_a_queued_one() -> None:
    async with busy([]) as (here, run, _):
        await follow_up(here, run, "a")
        assert run.id in (await refusal(here.again(run))).message
        assert run.id in (await refusal(here.project.create_message(run.thread_id, said("b")))).message


async def test_a_thread_shows_its_on_busy_until_it_is_cleared() -> None:
    async with world() as here:
        made = await here.project.create_thread(ThreadRequest(on_busy="enqueue"))
        assert made.on_busy == "enqueue"
        kept = await here.project.update_thread(made.id, ThreadUpdate(metadata={"a": "b"}))
        assert kept.on_busy == "enqueue"
        assert (await here.project.update_thread(made.id, ThreadUpdate(on_busy="interrupt"))).on_busy == "interrupt"
        assert (await here.project.update_thread(made.id, ThreadUpdate(on_busy=None))).on_busy is UNSET
        assert (await here.project.get_thread(made.id)).on_busy is UNSET
        assert (await here.project.create_thread(ThreadRequest(on_busy=None))).on_busy is UNSET


async def test_a_message_created_with_a_run_or_a_thread_has_no_on_busy() -> None:
    async with world(["One"]) as here:
        run = await here.ended(await here.start("First"))
        messages = [said("a"), said("b", on_busy="enqueue")]
        thread, assistant_id = ThreadRequest(messages=messages), run.assistant_id
        request = RunRequest(assistant_id=assistant_id, additional_messages=messages, on_busy="enqueue")
        calls: dict[str, Awaitable[object]] = {
            "messages": here.project.create_thread(thread),
            "additional_messages": here.project.create_run(run.thread_id, request),
            "thread.messages": here.project.create_thread_run(
                ThreadRunRequest(assistant_id=assistant_id, thread=thread)
            ),
        }
        for param, answer in calls.items():
            refused = await refusal(answer)
            assert "create the message by itself" in refused.message
            assert refused.param == f"{param}[1].on_busy"
        assert len(await here.messages(run)) == 2
