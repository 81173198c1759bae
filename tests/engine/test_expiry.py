"""Expiry: ten minutes after a run's creation, or after the given time, in each state."""

from functools import partial
from pathlib import Path

import pytest

from runstead.llm.scripted import Gate, call, say
from runstead.wire.error import BadRequest
from runstead.wire.run import Run, Status
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of, world


async def test_a_run_expires_exactly_ten_minutes_after_its_creation() -> None:
    gate = Gate()
    async with world([gate]) as here:
        run = await here.start()
        assert run.expires_at == run.created_at + 600
        async with within():
            await gate.reached.wait()
        await here.clock.advance(599)
        assert (await here.now(run)).status == "in_progress"
        await here.clock.advance(1)
        ended = await here.ended(run)
        assert (ended.status, ended.expires_at, ended.last_error) == (Status.EXPIRED, run.expires_at, None)


async def test_the_default_lifetime_is_a_setting() -> None:
    async with world([call("weather")], lifetime=5) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert run.expires_at == run.created_at + 5
        await here.clock.advance(5)
        await until(lambda: _is(here, run, Status.EXPIRED))


async def test_a_queued_run_expires() -> None:
    gate = Gate()
    async with world([gate, "Hello"], slots=1) as here:
        await here.start()
        async with within():
            await gate.reached.wait()
        run = await here.start()
        await here.clock.advance(600)
        assert names(await here.events(run)) == ["run.created", "run.queued", "run.expired"]


async def test_a_run_that_is_writing_expires_with_the_text_so_far() -> None:
    gate = Gate()
    async with world([[say("Half an"), gate]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        await here.clock.advance(600)
        async with within():
            await here.model.closed.wait()
        events = await here.events(run)
        assert names(events)[-3:] == ["message.incomplete", "run.step.expired", "run.expired"]
        Reader().read(events)
        [message], [step] = await here.written(run), await here.steps(run)
        assert text_of(message) == "Half an"
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "run_expired"
        assert (step.status, step.expired_at) == ("expired", run.expires_at)


async def test_a_run_in_requires_action_expires_with_its_usage() -> None:
    async with world([call("weather", city="Rome"), "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        paused = (await here.events(run))[-1].id
        await here.clock.advance(600)
        await until(lambda: _is(here, run, Status.EXPIRED))
        assert names(await here.events(run, paused)) == ["run.step.expired", "run.expired"]
        ended = await here.now(run)
        [step] = await here.steps(run)
        assert (ended.required_action, ended.usage) == (None, step.usage)
        assert step.usage is not None


async def test_submitting_outputs_does_not_extend_the_lifetime() -> None:
    gate = Gate()
    async with world([call("weather", city="Rome"), gate]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.clock.advance(599)
        assert (await here.submit(run)).expires_at == run.created_at + 600
        async with within():
            await gate.reached.wait()
        await here.clock.advance(1)
        assert (await here.ended(run)).status == "expired"


async def test_outputs_after_the_expiry_are_refused() -> None:
    async with world([call("weather", city="Rome")]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        here.clock.slip(600)
        for marked in ("requires_action", "expired"):
            assert (await here.now(run)).status == marked
            with pytest.raises(BadRequest) as refused:
                await here.submit(run)
            assert refused.value.message == 'Runs in status "expired" do not accept tool outputs.'
            await here.clock.advance(1)


async def test_a_thread_is_unlocked_after_its_run_expired() -> None:
    async with world([call("weather", city="Rome"), "Hello"]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.clock.advance(600)
        await until(lambda: _is(here, run, Status.EXPIRED))
        assert (await here.ended(await here.again(run))).status == "completed"


async def test_many_runs_expire_together() -> None:
    async with world(lambda _: call("weather", city="Rome")) as here:
        runs = [await here.start(tools=[WEATHER]) for _ in range(50)]
        for run in runs:
            assert (await here.ended(run)).status == "requires_action"
        await here.clock.advance(600)
        for run in runs:
            await until(partial(_is, here, run, Status.EXPIRED))


async def test_a_run_may_wait_for_outputs_for_days_without_a_worker(tmp_path: Path) -> None:
    days = 24 * 3600
    async with world([call("weather")], path=tmp_path / "runs.db") as here:
        run = await here.ended(await here.start(tools=[WEATHER], expires_after=3 * days))
        assert run.expires_at == run.created_at + 3 * days
        assert (await here.row(run)).owner is None
        await here.clock.advance(2 * days)
        assert (await here.now(run)).status == "requires_action"
        later = here.clock
    async with world(["Sunny."], path=tmp_path / "runs.db", clock=later) as here:
        await here.clock.advance(days - 1)
        assert await here.now(run) == run
        await here.submit(run)
        ended = await here.ended(run)
        assert (ended.status, ended.completed_at) == ("completed", run.created_at + 3 * days - 1)


async def test_a_run_whose_lifetime_ended_while_the_server_was_down_expires(tmp_path: Path) -> None:
    async with world([call("weather")], path=tmp_path / "runs.db") as here:
        run = await here.ended(await here.start(tools=[WEATHER], expires_after=5000))
        later = here.clock
    later.slip(5000)
    async with world([], path=tmp_path / "runs.db", clock=later) as here:
        await until(lambda: _is(here, run, Status.EXPIRED))


async def test_waiting_runs_take_no_worker_slots() -> None:
    async with world([call("weather"), call("weather"), "Hello"], slots=1) as here:
        for _ in range(2):
            waiting = await here.ended(await here.start(tools=[WEATHER], expires_after=1000))
            assert waiting.status == "requires_action"
        assert (await here.ended(await here.start())).status == "completed"


async def _is(here: World, run: Run, status: Status) -> bool:
    return (await here.now(run)).status is status
