"""Budgets: totals over all model calls of a run. A run that uses one up ends `incomplete`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from runstead.domain.model_call import ModelRequest, Piece, UsagePiece
from runstead.llm.scripted import Gate, ScriptedModel, Turn, call, say, usage
from runstead.wire.error import BadRequest
from runstead.wire.run import Run, Status
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, text_of, world


def reason(run: Run) -> str | None:
    return run.incomplete_details.reason if run.incomplete_details else None


async def test_each_call_may_use_the_completion_tokens_that_are_left() -> None:
    turns: list[Turn] = [[call("weather"), usage(10, 100)], [call("weather"), usage(10, 50)], "Done."]
    async with world(turns) as here:
        run = await here.ended(await here.start(tools=[WEATHER], max_completion_tokens=256))
        await here.submit(run)
        await here.submit(await here.ended(run))
        ended = await here.ended(run)
        assert [request.max_completion_tokens for request in here.model.requests] == [256, 156, 106]
        assert ended.status == "completed"
        assert ended.usage is not None
        assert ended.usage.completion_tokens == 151


async def test_an_answer_that_is_too_long_is_cut() -> None:
    async with world([" ".join(["word"] * 300)]) as here:
        ended = await here.ended(await here.start(max_completion_tokens=256))
        assert (ended.status, reason(ended)) == ("incomplete", "max_completion_tokens")
        assert ended.usage is not None
        assert ended.usage.completion_tokens == 256
        [message] = await here.written(ended)
        assert len(text_of(message).split()) == 256


async def test_a_run_without_completion_tokens_left_makes_no_more_calls() -> None:
    async with world([[call("weather"), usage(10, 256)]]) as here:
        run = await here.ended(await here.start(tools=[WEATHER], max_completion_tokens=256))
        submitted = await here.submit(run)
        ended = await here.ended(run)
        assert submitted.status == "queued"
        assert (ended.status, reason(ended)) == ("incomplete", "max_completion_tokens")
        assert len(here.model.requests) == 1
        assert ended.usage is not None
        assert ended.usage.completion_tokens == 256
        assert names(await here.events(run))[-4:] == [
            "run.step.completed",
            "run.queued",
            "run.in_progress",
            "run.incomplete",
        ]


async def test_a_run_without_prompt_tokens_left_makes_no_more_calls() -> None:
    async with world([[call("weather"), usage(400, 5)]]) as here:
        run = await here.ended(await here.start(tools=[WEATHER], max_prompt_tokens=300))
        await here.submit(run)
        ended = await here.ended(run)
        assert (ended.status, reason(ended)) == ("incomplete", "max_prompt_tokens")
        assert (ended.completed_at, ended.expires_at) == (ended.created_at, None)


async def test_instructions_that_do_not_fit_are_not_sent() -> None:
    async with world([]) as here:
        ended = await here.ended(await here.start(instructions="x" * 3000, max_prompt_tokens=256))
        assert (ended.status, reason(ended)) == ("incomplete", "max_prompt_tokens")
        assert here.model.requests == []


async def test_a_thread_is_unlocked_after_an_incomplete_run() -> None:
    async with world([" ".join(["word"] * 300), "Short."]) as here:
        run = await here.ended(await here.start(max_completion_tokens=256))
        assert (await here.ended(await here.again(run))).status == "completed"


async def test_a_cancelled_run_has_the_usage_of_its_completed_steps() -> None:
    gate = Gate()
    async with world([[call("weather"), usage(10, 5)], [say("Half"), gate]]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        await gate.reached.wait()
        await here.project.cancel(run.thread_id, run.id)
        ended = await here.ended(run)
        assert ended.status == "cancelled"
        assert ended.usage is not None
        assert ended.usage.total_tokens == 15


async def test_a_message_that_exceeds_the_prompt_budget_is_not_sent() -> None:
    async with world([]) as here:
        ended = await here.ended(await here.start("word " * 2000, max_prompt_tokens=256))
        assert (ended.status, reason(ended)) == ("incomplete", "max_prompt_tokens")
        assert here.model.requests == []


class Uncounted(ScriptedModel):
    """A model whose server reports no usage."""

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[Sequence[Piece]]]:
        async with super().reply(request) as batches:

            async def without() -> AsyncIterator[Sequence[Piece]]:
                async for batch in batches:
                    yield [piece for piece in batch if not isinstance(piece, UsagePiece)]

            yield without()


async def test_budgets_hold_if_the_server_reports_no_usage() -> None:
    model = Uncounted([[say("word " * 200), call("weather")], "Never said."])
    async with world(model=model) as here:
        run = await here.ended(await here.start(tools=[WEATHER], max_completion_tokens=256))
        await here.submit(run)
        ended = await here.ended(run)
        assert (ended.status, reason(ended)) == ("incomplete", "max_completion_tokens")
        assert len(model.requests) == 1
        assert ended.usage is not None
        assert ended.usage.prompt_tokens > 0
        assert ended.usage.completion_tokens > 256


class TestTotalTokens:
    async def test_each_answer_may_use_the_tokens_that_are_left(self) -> None:
        turns: list[Turn] = [[call("weather"), usage(100, 50)], "Done."]
        async with world(turns) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_total_tokens=1000))
            await here.submit(run)
            assert (await here.ended(run)).status == "completed"
            first, second = (request.max_completion_tokens for request in here.model.requests)
            assert first is not None
            assert second is not None
            assert 900 < first < 1000
            assert 700 < second < 850

    async def test_an_answer_that_is_too_long_is_cut(self) -> None:
        async with world([" ".join(["word"] * 300)]) as here:
            ended = await here.ended(await here.start(max_total_tokens=200))
            assert (ended.status, reason(ended)) == ("incomplete", "max_total_tokens")
            [request] = here.model.requests
            [message] = await here.written(ended)
            assert len(text_of(message).split()) == request.max_completion_tokens
            assert message.incomplete_details is not None
            assert message.incomplete_details.reason == "max_tokens"

    async def test_the_smaller_of_two_budgets_cuts_an_answer(self) -> None:
        async with world([" ".join(["word"] * 300)]) as here:
            ended = await here.ended(await here.start(max_total_tokens=5000, max_completion_tokens=256))
            assert reason(ended) == "max_completion_tokens"

    async def test_a_run_without_tokens_left_makes_no_more_calls(self) -> None:
        async with world([[call("weather"), usage(400, 100)]]) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_total_tokens=500))
            await here.submit(run)
            ended = await here.ended(run)
            assert (ended.status, reason(ended)) == ("incomplete", "max_total_tokens")
            assert len(here.model.requests) == 1
            assert ended.usage is not None
            assert ended.usage.total_tokens == 500

    async def test_a_message_that_does_not_fit_is_not_sent(self) -> None:
        async with world([]) as here:
            ended = await here.ended(await here.start("word " * 2000, max_total_tokens=300))
            assert (ended.status, reason(ended)) == ("incomplete", "max_total_tokens")
            assert here.model.requests == []

    async def test_older_messages_are_left_out_to_leave_tokens_for_the_answer(self) -> None:
        async with world(["Short."]) as here:
            ended = await here.ended(await here.start("old " * 500, "new", max_total_tokens=300))
            assert ended.status == "completed"
            [request] = here.model.requests
            assert [message["content"] for message in request.messages] == ["new"]


class TestToolCalls:
    async def test_calls_within_the_budget_are_required(self) -> None:
        turns: list[Turn] = [[call("weather"), call("weather")], call("weather"), "Done."]
        async with world(turns) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_tool_calls=3))
            for _ in range(2):
                assert run.status == "requires_action"
                await here.submit(run)
                run = await here.ended(run)
            assert run.status == "completed"

    async def test_no_call_of_a_turn_that_exceeds_the_budget_is_required(self) -> None:
        turns: list[Turn] = [call("weather"), [say("And now"), call("weather"), call("weather"), usage(7, 5)]]
        async with world(turns) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_tool_calls=2))
            await here.submit(run)
            ended = await here.ended(run)
            assert (ended.status, reason(ended), ended.required_action) == ("incomplete", "max_tool_calls", None)
            events = await here.events(run)
            Reader().read(events)
            assert names(events)[-2:] == ["run.step.failed", "run.incomplete"]
            assert "run.requires_action" not in names(events)[names(events).index("run.step.completed") :]
            [message] = await here.written(run)
            assert (text_of(message), message.status) == ("And now", "completed")
            last = (await here.steps(run))[-1]
            assert last.usage is not None
            assert last.usage.total_tokens == 12
            assert last.last_error is not None
            assert "'max_tool_calls'" in last.last_error.message

    async def test_a_thread_is_unlocked_after_it(self) -> None:
        async with world([[call("weather"), call("weather")], "Hello"]) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_tool_calls=1))
            assert (await here.ended(await here.again(run))).status == "completed"


class TestSeconds:
    async def test_a_run_that_is_writing_ends_with_the_text_so_far(self) -> None:
        gate = Gate()
        async with world([[say("Half an"), gate]]) as here:
            run = await here.start(max_seconds=30)
            assert run.expires_at == run.created_at + 600
            async with within():
                await gate.reached.wait()
            await here.clock.advance(29)
            assert (await here.now(run)).status == "in_progress"
            await here.clock.advance(1)
            async with within():
                await here.model.closed.wait()
            events = await here.events(run)
            Reader().read(events)
            assert names(events)[-3:] == ["message.incomplete", "run.step.expired", "run.incomplete"]
            ended = await here.now(run)
            assert (reason(ended), ended.completed_at, ended.expires_at) == ("max_seconds", run.created_at + 30, None)
            [message], [step] = await here.written(run), await here.steps(run)
            assert (text_of(message), message.status) == ("Half an", "incomplete")
            assert message.incomplete_details is not None
            assert message.incomplete_details.reason == "run_expired"
            assert step.status == "expired"

    async def test_a_queued_run_ends(self) -> None:
        gate = Gate()
        async with world([gate], slots=1) as here:
            await here.start()
            async with within():
                await gate.reached.wait()
            run = await here.start(max_seconds=30)
            await here.clock.advance(30)
            assert names(await here.events(run)) == ["run.created", "run.queued", "run.incomplete"]
            assert reason(await here.now(run)) == "max_seconds"

    async def test_a_run_in_requires_action_ends(self) -> None:
        async with world([call("weather"), "Sunny."]) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_seconds=30))
            paused = (await here.events(run))[-1].id
            await here.clock.advance(30)
            await until(lambda: _is(here, run, Status.INCOMPLETE))
            assert names(await here.events(run, paused)) == ["run.step.expired", "run.incomplete"]
            ended = await here.now(run)
            assert (reason(ended), ended.required_action) == ("max_seconds", None)
            [step] = await here.steps(run)
            assert ended.usage == step.usage

    async def test_submitting_outputs_does_not_extend_it(self) -> None:
        gate = Gate()
        async with world([call("weather"), gate]) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_seconds=30))
            await here.clock.advance(29)
            await here.submit(run)
            async with within():
                await gate.reached.wait()
            await here.clock.advance(1)
            assert reason(await here.ended(run)) == "max_seconds"

    async def test_outputs_after_the_deadline_are_refused(self) -> None:
        async with world([call("weather")]) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_seconds=30))
            here.clock.slip(30)
            assert (await here.now(run)).status == "requires_action"
            with pytest.raises(BadRequest, match='Runs in status "incomplete" do not accept tool outputs.'):
                await here.submit(run)

    async def test_a_run_that_reaches_its_expiry_first_is_expired(self) -> None:
        async with world([call("weather")]) as here:
            run = await here.ended(await here.start(tools=[WEATHER], max_seconds=30, expires_after=20))
            await here.clock.advance(20)
            await until(lambda: _is(here, run, Status.EXPIRED))

    async def test_a_run_cancelled_before_the_deadline_is_cancelled(self) -> None:
        gate = Gate()
        async with world([gate]) as here:
            run = await here.start(max_seconds=30)
            async with within():
                await gate.reached.wait()
            here.clock.slip(30)
            await here.project.cancel(run.thread_id, run.id)
            assert (await here.ended(run)).status == "cancelled"


async def _is(here: World, run: Run, status: Status) -> bool:
    return (await here.now(run)).status is status
