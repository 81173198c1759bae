"""A process dies at any moment, and the next one over the same file goes on from there."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from runstead.domain.model_call import ModelRequest
from runstead.llm.scripted import Gate, Turn, call, say, usage
from runstead.wire.event import Event
from runstead.wire.run import Run, RunRequest
from tests.support.clock import FastClock
from tests.support.crash import doomed
from tests.support.reader import Reader
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, names, text_of, world

BEGIN = ["run.created", "run.queued", "run.in_progress"]
AGAIN = ["run.queued", "run.in_progress"]
MESSAGE = ["run.step.created", "run.step.in_progress", "message.created", "message.in_progress"]
WHOLE = [*MESSAGE, "message.completed", "run.step.completed", "run.completed"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rs.db"


async def history(here: World, run: Run) -> list[Event]:
    """All stored events of a run, and nothing wrong with them."""
    events = await here.events(run)
    Reader().read(events)
    return events


async def test_a_queued_run_is_claimed_after_a_crash(path: Path) -> None:
    gate = Gate()
    async with doomed([gate], path, slots=1) as here:
        await here.start()
        async with within():
            await gate.reached.wait()
        run = await here.start()
    async with world(lambda _: "Hello", path=path) as here:
        assert (await here.ended(run)).status == "completed"
        assert names(await history(here, run)) == [*BEGIN, *WHOLE]


async def test_the_model_is_asked_again_after_a_crash_before_its_answer(path: Path) -> None:
    gate = Gate()
    async with doomed([gate], path) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
    async with world(["Hello"], path=path) as here:
        assert (await here.ended(run)).status == "completed"
        assert names(await history(here, run)) == [*BEGIN, *AGAIN, *WHOLE]


async def test_half_a_message_is_closed_as_incomplete_and_written_again(path: Path) -> None:
    gate = Gate()
    async with doomed([[say("Half"), gate]], path) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
    async with world(["Whole"], path=path) as here:
        assert (await here.ended(run)).status == "completed"
        cut = [*MESSAGE, "message.incomplete", "run.step.failed"]
        assert names(await history(here, run)) == [*BEGIN, *cut, *AGAIN, *WHOLE]
        half, whole = await here.written(run)
        assert half.incomplete_details is not None
        assert (half.status, half.incomplete_details.reason) == ("incomplete", "run_failed")
        assert (whole.status, text_of(whole)) == ("completed", "Whole")
        failed, done = await here.steps(run)
        assert (failed.status, done.status) == ("failed", "completed")
        assert [each["content"] for each in here.model.requests[0].messages] == ["Hello"], "half a word is not told"


async def test_half_made_calls_are_made_again(path: Path) -> None:
    gate = Gate()
    async with doomed([[call("weather", city="Rome"), gate]], path) as here:
        run = await here.start(tools=[WEATHER])
        async with within():
            await gate.reached.wait()
    async with world([call("weather", city="Oslo")], path=path) as here:
        paused = await here.ended(run)
        assert paused.required_action is not None
        [asked] = paused.required_action.submit_tool_outputs.tool_calls
        assert asked.function.arguments == '{"city":"Oslo"}'
        await history(here, run)


async def test_a_run_in_requires_action_survives_a_crash(path: Path) -> None:
    async with doomed([[call("weather", city="Rome"), usage(5, 5)]], path) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
    async with world([["Sunny.", usage(7, 7)]], path=path) as here:
        assert await here.now(run) == run
        await here.submit(run)
        ended = await here.ended(run)
        assert ended.status == "completed"
        assert ended.usage is not None
        assert ended.usage.total_tokens == 24
        await history(here, run)


async def test_finished_steps_are_not_repeated(path: Path) -> None:
    gate = Gate()
    turns: list[Turn] = [[say("Let me see."), call("weather", city="Rome")], [say("Half"), gate]]
    async with doomed(turns, path) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        async with within():
            await gate.reached.wait()
        before = (await here.steps(run))[:2]
    async with world(["Sunny."], path=path) as here:
        assert (await here.ended(run)).status == "completed"
        assert (await here.steps(run))[:2] == before
        told = [(each["role"], each["content"]) for each in here.model.requests[0].messages]
        assert told == [("user", "Hello"), ("assistant", "Let me see."), ("tool", "sunny")]
        assert len(here.model.requests) == 1


async def test_a_cancelling_run_is_cancelled_after_a_crash(path: Path) -> None:
    gate = Gate()

    async with doomed([[say("Half"), gate]], path) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        here.worker._executor._executing.clear()  # the worker does not receive the cancel
        assert (await here.project.cancel(run.thread_id, run.id)).status == "cancelling"
    async with world(path=path) as here:
        assert (await here.now(run)).status == "cancelled"
        assert names(await history(here, run))[-4:] == [
            "run.cancelling",
            "message.incomplete",
            "run.step.cancelled",
            "run.cancelled",
        ]


async def test_a_run_past_its_deadline_after_a_crash_expires_without_a_model_call(path: Path) -> None:
    gate = Gate()
    async with doomed([[say("Half"), gate]], path) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        clock = here.clock
    await clock.advance(600)
    async with world(path=path, clock=clock) as here:
        assert (await here.ended(run)).status == "expired"
        await history(here, run)
        assert here.model.requests == []


async def test_repeated_crashes_change_nothing(path: Path) -> None:
    run = None
    for life in range(5):
        gate = Gate()
        async with doomed([[say(f"Life {life}"), gate]], path) as here:
            run = run or await here.start()
            async with within():
                await gate.reached.wait()
    assert run is not None
    async with world(["At last."], path=path) as here:
        assert (await here.ended(run)).status == "completed"
        await history(here, run)
        assert [message.status for message in await here.written(run)] == ["incomplete"] * 5 + ["completed"]


@pytest.mark.parametrize("seed", range(12))
async def test_no_run_is_lost_and_no_step_repeated_whenever_the_process_dies(seed: int, path: Path) -> None:
    random = Random(seed)
    acknowledged: list[Run] = []
    steps: dict[str, list[str]] = {}

    def turn(request: ModelRequest) -> Turn:
        done = sum(message["role"] == "tool" for message in request.messages)
        return [say("a", "b", "c"), call("weather", n=done)] if done < 2 else say("a", "b", "c")

    async def live(here: World) -> None:
        request = RunRequest(assistant_id=await here.assistant([WEATHER]))
        async with asyncio.TaskGroup() as group:
            for run in acknowledged:
                group.create_task(drive(here, run))
            for _ in range(5):
                run = await here.project.create_run(await here.thread("Hi"), request)
                acknowledged.append(run)
                group.create_task(drive(here, run))

    async def drive(here: World, run: Run) -> None:
        while not (now := await here.ended(run)).status.terminal:
            finished = [step.id for step in await here.steps(run) if step.status == "completed"]
            assert finished[: len(steps.get(run.id, []))] == steps.get(run.id, []), "finished steps stay"
            steps[run.id] = finished
            await here.submit(now)

    for _ in range(4):
        async with doomed(turn, path, clock=FastClock()) as here:
            living = asyncio.get_running_loop().create_task(live(here))
            await asyncio.wait([living], timeout=random.random() * 0.15)
    async with world(turn, path=path, clock=FastClock()) as here, within():
        await live(here)
        for run in acknowledged:
            ended = await here.now(run)
            assert ended.status == "completed"
            await history(here, run)
            kinds = [(step.type, step.status) for step in await here.steps(run) if step.status == "completed"]
            assert kinds.count(("tool_calls", "completed")) == 2, "no call is made twice"
            told = [message for message in await here.written(run) if message.status == "completed"]
            assert all(text_of(message) == "abc" for message in told), "half a message is never shown as whole"
