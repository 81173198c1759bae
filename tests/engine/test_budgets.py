"""Budgets are totals over all model calls of a run; who runs out of them ends `incomplete`, for the right reason."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from runstead.domain.chat import ModelRequest, Piece, UsagePiece
from runstead.llm.script import Gate, Turn, call, say, usage
from runstead.llm.scripted import ScriptedModel
from runstead.wire.run import Run
from tests.support.worlds import WEATHER, names, text_of, world


def reason(run: Run) -> str | None:
    return run.incomplete_details.reason if run.incomplete_details else None


async def test_each_call_may_write_what_the_ones_before_left() -> None:
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


async def test_a_run_whose_tokens_are_all_written_makes_no_more_calls() -> None:
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


async def test_a_run_whose_prompts_took_too_much_makes_no_more_calls() -> None:
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


async def test_the_thread_is_usable_after_a_run_that_ran_out() -> None:
    async with world([" ".join(["word"] * 300), "Short."]) as here:
        run = await here.ended(await here.start(max_completion_tokens=256))
        assert (await here.ended(await here.again(run))).status == "completed"


async def test_a_cancel_in_the_middle_counts_the_steps_that_are_done() -> None:
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


async def test_a_message_that_does_not_fit_the_prompts_budget_is_not_sent() -> None:
    async with world([]) as here:
        ended = await here.ended(await here.start("word " * 2000, max_prompt_tokens=256))
        assert (ended.status, reason(ended)) == ("incomplete", "max_prompt_tokens")
        assert here.model.requests == []


class Uncounted(ScriptedModel):
    """A model whose server never says what a call took."""

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[Sequence[Piece]]]:
        async with super().reply(request) as batches:

            async def without() -> AsyncIterator[Sequence[Piece]]:
                async for batch in batches:
                    yield [piece for piece in batch if not isinstance(piece, UsagePiece)]

            yield without()


async def test_budgets_hold_where_nobody_counts() -> None:
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
