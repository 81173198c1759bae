"""Clocks that go back, and machines whose clocks are minutes apart: transcripts, prompts and lists stay right."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from runstead.llm.scripted import Gate, Turn, call, say
from runstead.store.postgres import PostgresStore
from runstead.wire.message import MessageRequest
from runstead.wire.options import TruncationStrategy
from runstead.wire.run import Run, RunRequest
from runstead.wire.struct import SortOrder
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.clock import FastClock, ManualClock
from tests.support.postgres import place, server
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, text_of, world

AHEAD = [0.0, -300.0, 240.0]
"""Offsets of the clocks of three machines from the right time, in seconds."""
LONG = 7 * 86_400
"""A lifetime that no difference of clocks ends."""
ROUNDS = 5


def answer(number: int, _: object) -> str:
    """The answer of the model that this machine asks."""
    return f"Answer of machine {number}."


@asynccontextmanager
async def machines(path: Path) -> AsyncIterator[list[World]]:
    """Three processes over one database, each with a wrong clock of its own."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                world(
                    partial(answer, number),
                    store=PostgresStore(server().url, schema=place(path)),
                    clock=FastClock(ahead),
                    lifetime=LONG,
                )
            )
            for number, ahead in enumerate(AHEAD)
        ]


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[list[World]]:
    async with machines(tmp_path) as worlds:
        yield worlds


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
async def alone(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """One process, whose clock the test sets back."""
    adapter: Adapter = request.param
    async with world(lambda _: "Sunny.", store=adapter.make(tmp_path), lifetime=LONG) as here:
        yield here


def question(number: int) -> MessageRequest:
    return MessageRequest(role="user", content=f"Question {number}?")


async def transcript(here: World, thread_id: str, **query: object) -> list[str]:
    page = await here.project.messages(thread_id, **query)  # type: ignore[arg-type]
    return [text_of(message) for message in page.data]


def prompts(here: World) -> list[list[str]]:
    """The messages of every call of the model in this process."""
    return [[str(message["content"]) for message in request.messages] for request in here.model.requests]


async def converse(worlds: Sequence[World]) -> tuple[str, list[str], list[Run]]:
    """Ask in one process and run in the next, again and again. Returns the thread, its texts in order, and the runs."""
    assistant_id, thread_id = await worlds[0].assistant(), await worlds[0].thread()
    said, runs = list[str](), list[Run]()
    for number in range(ROUNDS):
        asking, running = worlds[number % len(worlds)], worlds[(number + 1) % len(worlds)]
        await asking.project.create_message(thread_id, question(number))
        run = await running.project.create_run(thread_id, RunRequest(assistant_id=assistant_id))
        assert (await running.ended(run)).status == "completed"
        said += [f"Question {number}?", *await transcript(running, thread_id, limit=1)]
        runs.append(run)
        assert prompts(running)[-1] == said[:-1]
    return thread_id, said, runs


async def test_machines_with_clocks_minutes_apart_write_one_transcript(cluster: list[World]) -> None:
    thread_id, said, runs = await converse(cluster)
    assert [text for text in said if text.startswith("Question")] == [f"Question {n}?" for n in range(ROUNDS)]
    times = [message.created_at for message in (await cluster[0].project.messages(thread_id, order=SortOrder.ASC)).data]
    assert times != sorted(times)
    for here in cluster:
        assert await transcript(here, thread_id, order=SortOrder.ASC) == said
        assert await transcript(here, thread_id) == said[::-1]
        newest_runs = await here.project.runs(thread_id)
        assert [run.id for run in newest_runs.data] == [run.id for run in runs][::-1]


async def test_pages_of_a_transcript_meet_every_message_once_in_either_order(cluster: list[World]) -> None:
    thread_id, said, _ = await converse(cluster)
    for order, expected in ((SortOrder.ASC, said), (SortOrder.DESC, said[::-1])):
        met, after = list[str](), None
        for _ in range(len(said)):
            page = await cluster[0].project.messages(thread_id, limit=3, order=order, after=after)
            met, after = [*met, *(text_of(message) for message in page.data)], page.last_id
            if not page.has_more:
                break
        assert met == expected
        middle = (await cluster[1].project.messages(thread_id, limit=4, order=order)).last_id
        assert await transcript(cluster[2], thread_id, order=order, before=middle) == expected[:3]


async def test_last_messages_are_the_last_ones_that_were_written(cluster: list[World]) -> None:
    thread_id, said, runs = await converse(cluster)
    here = cluster[1]
    await cluster[2].project.create_message(thread_id, question(ROUNDS))
    strategy = TruncationStrategy(type="last_messages", last_messages=3)
    request = RunRequest(assistant_id=runs[0].assistant_id, truncation_strategy=strategy)
    await here.ended(await here.project.create_run(thread_id, request))
    assert prompts(here)[-1] == [*said[-2:], f"Question {ROUNDS}?"]


async def test_a_waiting_message_joins_at_the_end_and_its_run_follows_in_turn(tmp_path: Path) -> None:
    gate = Gate()
    turns: list[Turn] = [[say("Half"), gate, say(" and whole.")]]
    stores = [PostgresStore(server().url, schema=place(tmp_path)) for _ in range(2)]
    async with (
        world(turns, store=stores[0], clock=FastClock(240.0), lifetime=LONG) as here,
        world(lambda _: "Later.", store=stores[1], clock=FastClock(-300.0), lifetime=LONG) as there,
    ):
        run = await here.start("First?")
        async with within():
            await gate.reached.wait()
        for text in ("Second?", "Third?"):
            await there.project.create_message(
                run.thread_id, MessageRequest(role="user", content=text, on_busy="enqueue")
            )
        gate.open()
        assert (await here.ended(run)).status == "completed"
        expected = ["First?", "Half and whole.", "Second?", "Third?"]
        assert await transcript(there, run.thread_id, order=SortOrder.ASC) == expected
        again = await there.again(run)
        assert (await there.ended(again)).status == "completed"
        assert prompts(there)[-1] == expected


async def test_a_clock_that_goes_back_changes_no_order(alone: World) -> None:
    assert isinstance(alone.clock, ManualClock)
    assistant_id, thread_id = await alone.assistant(), await alone.thread()
    said, runs = list[str](), list[str]()
    for number in range(ROUNDS):
        alone.clock.slip(-60)
        await alone.project.create_message(thread_id, question(number))
        alone.clock.slip(-60)
        run = await alone.project.create_run(thread_id, RunRequest(assistant_id=assistant_id))
        await alone.ended(run)
        said += [f"Question {number}?", "Sunny."]
        runs.append(run.id)
        assert prompts(alone)[-1] == said[:-1]
        assert await transcript(alone, thread_id, limit=1) == ["Sunny."]
    assert await transcript(alone, thread_id, order=SortOrder.ASC) == said
    assert [run.id for run in (await alone.project.runs(thread_id)).data] == runs[::-1]


async def test_a_clock_that_goes_back_keeps_the_calls_of_a_run_in_order(tmp_path: Path) -> None:
    turns: list[Turn] = [[say("One."), call("weather")], [say("Two."), call("weather")], "Three."]
    async with world(turns, path=tmp_path / "runs.db", lifetime=LONG) as here:
        run = await here.ended(await here.start("Go!", tools=[WEATHER]))
        for output in ("first", "second"):
            here.clock.slip(-60)
            run = await here.submit(run, output)
            run = await here.ended(run)
        assert run.status == "completed"
        asked = here.model.requests[-1].messages
        outputs = [message["content"] for message in asked if message["role"] == "tool"]
        assert outputs == ["first", "second"]
        assert [text_of(message) for message in await here.written(run)] == ["One.", "Two.", "Three."]
        steps = await here.steps(run)
        assert [step.type for step in steps] == ["message_creation", "tool_calls"] * 2 + ["message_creation"]


async def test_lists_of_a_project_are_in_the_order_of_creation(cluster: list[World]) -> None:
    assistants = [await here.assistant() for here in cluster * 2]
    threads = [await here.thread() for here in cluster * 2]
    for here in cluster:
        assert [each.id for each in (await here.project.assistants()).data] == assistants[::-1]
        assert [each.id for each in (await here.project.threads(order=SortOrder.ASC)).data] == threads
