"""A rate limit of the model delays a run: it is queued with the reason, uses no slot, and goes on by itself."""

import asyncio
import logging

import pytest

from runstead.llm.openai_chat.answer.answer_budget import AnswerBudget
from runstead.llm.openai_chat.client import OpenAIChat
from runstead.llm.openai_chat.upstream import Upstream
from runstead.llm.scripted import Gate, call, limit, say
from runstead.store.sqlite import SqliteStore
from runstead.wire.event import Event
from runstead.wire.run import Run, RunRequest
from tests.llm.fake_upstream import fake_upstream, refused, text
from tests.support.counting_model import CountingModel
from tests.support.reader import Reader
from tests.support.slow_answers import SlowAnswers
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of, world

DELAYED = ["run.created", "run.queued", "run.in_progress", "run.queued"]
WHOLE = ["run.step.created", "run.step.in_progress", "message.created", "message.in_progress", "message.delta"]
WHOLE += ["message.completed", "run.step.completed", "run.completed"]


async def delayed(here: World, *runs: Run) -> None:
    """Until these runs wait for their model."""

    async def are() -> bool:
        rows = [await here.row(run) for run in runs]
        return all(row.ready_at and row.owner is None for row in rows)

    await until(are)


async def waited(here: World, seconds: int) -> None:
    """Let so many seconds pass, one after the other."""
    for _ in range(seconds):
        await here.clock.advance(1)


async def test_a_run_waits_as_long_as_the_models_server_asks() -> None:
    busy = refused(429, {"error": {"message": "Slow down."}}, {"Retry-After": "20"})
    async with fake_upstream(busy, text("Hello")) as upstream:
        model = OpenAIChat(Upstream(url=upstream.url, name="main"))
        async with world(model=model) as here:
            run = await here.start()
            stream = here.project.run_events(run.thread_id, run.id)
            events: list[Event] = []
            async with within():
                while names(events) != DELAYED:
                    events.append(await anext(stream))
            row = await here.row(run)
            assert here.adapters.now() + 20 <= row.ready_at <= here.adapters.now() + 25
            waiting = events[-1].data
            assert waiting == row.run == await here.now(run)
            assert isinstance(waiting, Run)
            assert waiting.last_error is not None
            assert waiting.last_error.code == "rate_limit_exceeded"
            assert waiting.last_error.message.startswith("The model server 'main' answered 429 Too Many Requests: Slow")
            assert "goes on at 2023-11-14 22:13:" in waiting.last_error.message
            await waited(here, row.ready_at - here.adapters.now() - 1)
            assert len(upstream.exchanges) == 1
            await waited(here, 2)
            async with within():
                events += [event async for event in stream]
            assert names(events) == [*DELAYED, "run.in_progress", *WHOLE]
            ended = await here.now(run)
            assert (ended.status, ended.last_error) == ("completed", None)


async def test_runs_wait_until_other_answers_have_ended(caplog: pytest.LogCaptureFixture) -> None:
    """All answers in flight have a total. The log has a line for the outage, and none for each run."""
    caplog.set_level(logging.INFO)
    budget = AnswerBudget(2**20)
    async with fake_upstream(text("Hello")) as upstream:
        model = OpenAIChat(Upstream(url=upstream.url, name="main"), budget=budget)
        async with world(model=model) as here:
            budget.take(2**20)
            runs = [await here.start() for _ in range(3)]
            await delayed(here, *runs)
            assert upstream.exchanges == []
            budget.give_back(2**20)
            await waited(here, 5)
            assert [(await here.ended(run)).status for run in runs] == ["completed"] * 3
    logged = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(logged) == 2
    assert ["answers_limit" in line for line in logged] == [True, True]


async def test_a_delayed_run_uses_no_slot() -> None:
    async with world([limit(retry_after=30), "Second.", "First."], slots=1, max_running=1) as here:
        first = await here.start("First?")
        await delayed(here, first)
        second = await here.start("Second?")
        assert (await here.ended(second)).status == "completed"
        assert (await here.now(first)).status == "queued"
        await waited(here, 40)
        assert (await here.ended(first)).status == "completed"


async def test_delays_grow_until_the_run_makes_progress() -> None:
    async with world([limit(), limit(), limit(), call("weather"), limit(), "Sunny."]) as here:
        run = await here.start(tools=[WEATHER])
        waits = []
        for before in range(3):
            await until(lambda: len(here.model.requests) == before + 1)  # noqa: B023 - it is awaited here
            await delayed(here, run)
            row = await here.row(run)
            assert row.delays == before + 1
            waits.append(row.ready_at - here.adapters.now())
            await waited(here, waits[-1] + 1)
        assert [2 <= waits[0] <= 3, 4 <= waits[1] <= 5, 8 <= waits[2] <= 10] == [True, True, True]
        await here.submit(await here.ended(run))
        await delayed(here, run)
        assert (await here.row(run)).delays == 1
        await waited(here, 5)
        assert (await here.ended(run)).status == "completed"
        Reader().read(await here.events(run))


async def test_text_before_a_rate_limit_is_kept_as_incomplete() -> None:
    async with world([[say("Half"), limit(retry_after=5)], "Whole."]) as here:
        run = await here.start()
        await delayed(here, run)
        await waited(here, 10)
        assert (await here.ended(run)).status == "completed"
        events = await here.events(run)
        Reader().read(events)
        assert names(events)[7:11] == ["message.incomplete", "run.step.failed", "run.queued", "run.in_progress"]
        half, whole = await here.written(run)
        assert (text_of(half), half.status) == ("Half", "incomplete")
        assert (text_of(whole), whole.status) == ("Whole.", "completed")
        failed, done = await here.steps(run)
        assert failed.last_error is not None
        assert (failed.last_error.code, done.status) == ("rate_limit_exceeded", "completed")


async def test_a_delayed_run_is_cancelled_at_once() -> None:
    async with world([limit(retry_after=30)]) as here:
        run = await here.start()
        await delayed(here, run)
        await here.project.cancel(run.thread_id, run.id)
        ended = await here.ended(run)
        assert (ended.status, ended.last_error) == ("cancelled", None)
        await waited(here, 40)
        assert len(here.model.requests) == 1
        assert (await here.again(run)).status == "queued"


async def test_a_cancel_during_the_delaying_commit_wins() -> None:
    gate, store = Gate(), SlowAnswers(SqliteStore(":memory:"))
    async with world([[say("Half"), gate, limit()]], store=store) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
            store.hold()
            cancelling = asyncio.create_task(here.project.cancel(run.thread_id, run.id))  # noqa: TID251 - awaited below
            await store.held.wait()  # it is written, and its interrupt is on no way yet
            gate.open()
            assert (await here.ended(run)).status == "cancelled"
            store.release()
            await cancelling


async def test_a_delayed_run_that_expires_says_why_it_waited() -> None:
    async with world([limit(retry_after=30)]) as here:
        thread_id = await here.thread("Hello")
        request = RunRequest(assistant_id=await here.assistant(), expires_after=10)
        run = await here.project.create_run(thread_id, request)
        await delayed(here, run)
        await waited(here, 12)
        ended = await here.ended(run)
        assert ended.status == "expired"
        assert ended.last_error is not None
        assert ended.last_error.code == "rate_limit_exceeded"


async def test_delays_of_runs_refused_together_are_spread() -> None:
    model = CountingModel(limit(retry_after=40))
    async with world(model=model) as here:
        runs = [await here.start() for _ in range(40)]
        await delayed(here, *runs)
        times = [(await here.row(run)).ready_at for run in runs]
        assert len(set(times)) >= 5
        assert max(times) - here.adapters.now() <= 50
