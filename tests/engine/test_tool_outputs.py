"""Submitting tool outputs."""

import asyncio

import pytest

from runstead.llm.scripted import Gate, Turn, call, say
from runstead.wire.error import BadRequest
from runstead.wire.run import Run
from runstead.wire.tool import ToolOutput
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, text_of, world

TWO_CALLS: list[Turn] = [[call("weather", city="Rome"), call("weather", city="Oslo")], "Sunny in both."]


async def refusal(here: World, run: Run, *call_ids: str) -> str:
    outputs = [ToolOutput(tool_call_id=id, output="sunny") for id in call_ids]
    with pytest.raises(BadRequest) as refused:
        await here.project.submit_tool_output(run.thread_id, run.id, outputs)
    return refused.value.message


def required_calls(run: Run) -> list[str]:
    assert run.required_action is not None
    return [call.id for call in run.required_action.submit_tool_outputs.tool_calls]


async def test_a_run_continues_with_the_submitted_outputs() -> None:
    async with world(TWO_CALLS) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        one, other = required_calls(run)
        outputs = [ToolOutput(tool_call_id=other, output="rain"), ToolOutput(tool_call_id=one, output="sun")]
        answer = await here.project.submit_tool_output(run.thread_id, run.id, outputs)
        assert (answer.status, answer.required_action, answer.usage) == ("queued", None, None)
        ended = await here.ended(run)
        assert ended.status == "completed"
        prompt = here.model.requests[1].messages
        assert [(each["role"], each.get("tool_call_id"), each["content"]) for each in prompt[-2:]] == [
            ("tool", one, "sun"),
            ("tool", other, "rain"),
        ]
        assert [each["id"] for each in prompt[-3]["tool_calls"]] == [one, other]
        assert text_of((await here.messages(run))[-1]) == "Sunny in both."


async def test_text_before_the_calls_is_part_of_the_next_prompt() -> None:
    async with world([[say("Let me see."), call("weather", city="Rome")], "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        await here.ended(run)
        assert [(each["role"], each["content"]) for each in here.model.requests[1].messages] == [
            ("user", "Hello"),
            ("assistant", "Let me see."),
            ("tool", "sunny"),
        ]


async def test_missing_unknown_and_duplicate_outputs_are_refused_and_change_nothing() -> None:
    async with world(TWO_CALLS) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        one, other = required_calls(run)
        for got in ([], [one], [one, "call_x"], [one, one], [one, other, "call_x"]):
            expected = f"Expected tool outputs for call_ids {[one, other]!r}, got {got!r}"
            assert await refusal(here, run, *got) == expected
        assert await here.now(run) == run
        await here.submit(run)
        assert (await here.ended(run)).status == "completed"


async def test_outputs_are_refused_in_any_other_status() -> None:
    gate = Gate()
    async with world([[gate, "Hello"]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        assert await refusal(here, run, "call_x") == 'Runs in status "in_progress" do not accept tool outputs.'
        gate.open()
        await here.ended(run)
        assert await refusal(here, run, "call_x") == 'Runs in status "completed" do not accept tool outputs.'


async def test_of_concurrent_submits_one_is_accepted() -> None:
    gate = Gate()
    async with world([TWO_CALLS[0], gate]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        answers = await asyncio.gather(*(here.submit(run) for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(answer, Run) for answer in answers) == 1
        refused = [str(answer) for answer in answers if isinstance(answer, BadRequest)]
        assert len(refused) == 4
        assert all(words.endswith("do not accept tool outputs.") for words in refused)
        async with within():
            await gate.reached.wait()
        assert len(here.model.requests) == 2, "the model is asked once"


async def test_a_concurrent_cancel_and_submit_have_one_winner() -> None:
    for _ in range(20):
        async with world(TWO_CALLS) as here:
            run = await here.ended(await here.start(tools=[WEATHER]))
            cancel = here.project.cancel(run.thread_id, run.id)
            cancelled, submitted = await asyncio.gather(cancel, here.submit(run), return_exceptions=True)
            ended = await here.ended(run)
            if isinstance(submitted, BadRequest):
                assert ended.status == "cancelled"
            else:
                assert isinstance(submitted, Run)
                assert ended.status in {"cancelled", "completed"}
            assert isinstance(cancelled, Run) or ended.status == "completed"
