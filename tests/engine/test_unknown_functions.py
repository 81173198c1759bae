"""Calls of functions that the model was not offered: they fail with a text for the model, never reaching the client."""

import pytest

from runstead.domain.run.next_move import MAX_REFUSED_TURNS
from runstead.engine.check import examine
from runstead.llm.scripted import Turn, call, say
from runstead.wire.run import Run
from runstead.wire.run_step import FunctionToolCall, RunStep, ToolCallsDetails
from runstead.wire.tool import FunctionName, NamedToolChoice
from tests.support.tools import BOTH, Search
from tests.support.worlds import WEATHER, World, world

UNKNOWN = call("unheard_of")
REFUSED = "There is no function 'unheard_of'. The functions are: weather."


async def consistent(here: World) -> None:
    wrong: list[str] = []
    await examine(here.adapters.store, lambda violation: wrong.append(str(violation)))
    assert wrong == []


def asked(run: Run) -> list[str]:
    assert run.required_action is not None
    return [each.function.name for each in run.required_action.submit_tool_outputs.tool_calls]


def outputs(step: RunStep) -> list[str | None]:
    assert isinstance(step.step_details, ToolCallsDetails)
    calls = step.step_details.tool_calls
    return [each.function.output for each in calls if isinstance(each, FunctionToolCall)]


def told(here: World, number: int) -> list[str]:
    return [each["content"] for each in here.model.requests[number].messages if each["role"] == "tool"]


async def test_the_model_gets_an_error_and_is_asked_again() -> None:
    async with world([UNKNOWN, "Never mind."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert run.status == "completed"
        assert told(here, 1) == [REFUSED]
        calls, message = await here.steps(run)
        assert (calls.status, outputs(calls), message.type) == ("completed", [REFUSED], "message_creation")
        await consistent(here)


async def test_the_client_is_asked_for_the_other_calls_alone() -> None:
    async with world([[UNKNOWN, call("weather", city="Rome")], "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert asked(run) == ["weather"]
        await consistent(here)
        await here.submit(run)
        run = await here.ended(run)
        assert run.status == "completed"
        assert told(here, 1) == [REFUSED, "sunny"]
        assert outputs((await here.steps(run))[0]) == [REFUSED, "sunny"]
        await consistent(here)


async def test_tools_of_the_server_run_beside_a_refused_call() -> None:
    async with world([[UNKNOWN, call("search")], "Done."], tools=[Search()]) as here:
        run = await here.ended(await here.start(tools=BOTH[:1]))
        assert run.status == "completed"
        assert told(here, 1)[0] == "There is no function 'unheard_of'. The functions are: search."
        await consistent(here)


async def test_without_functions_every_call_is_refused() -> None:
    async with world([call("search"), "Done."], tools=[Search()]) as here:
        run = await here.ended(await here.start(tools=BOTH[:1], tool_choice="none"))
        assert run.status == "completed"
        assert told(here, 1) == ["There is no function 'search'. No function can be called here."]


async def test_a_model_that_keeps_calling_them_fails_the_run() -> None:
    async with world([[say("Hm."), UNKNOWN]] * MAX_REFUSED_TURNS) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert run.status == "failed"
        assert run.last_error is not None
        assert (
            run.last_error.message
            == "The model called functions that it was not offered in 3 turns, at last 'unheard_of'."
        )
        assert len(here.model.requests) == MAX_REFUSED_TURNS
        await consistent(here)


async def test_a_turn_with_another_call_begins_the_count_anew() -> None:
    turns: list[Turn] = [UNKNOWN, UNKNOWN, call("weather"), UNKNOWN, UNKNOWN, "Sunny."]
    async with world(turns) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert asked(run) == ["weather"]
        await here.submit(run)
        assert (await here.ended(run)).status == "completed"


async def test_a_refused_call_leaves_a_forced_choice_as_it_is() -> None:
    choice = NamedToolChoice(type="function", function=FunctionName(name="weather"))
    async with world([UNKNOWN, call("weather")]) as here:
        run = await here.ended(await here.start(tools=[WEATHER], tool_choice=choice))
        assert asked(run) == ["weather"]
        assert [request.tool_choice for request in here.model.requests] == [choice, choice]


@pytest.mark.parametrize("name", ["x" * 5_000, "a\x00b\nc"])
async def test_a_name_of_any_kind_is_refused(name: str) -> None:
    async with world([call(name), "Never mind."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert run.status == "completed"
        assert len(told(here, 1)[0]) < 200
