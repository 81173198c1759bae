"""The opaque state of a model turn is stored, and sent unchanged with the run's next model calls."""

from pathlib import Path
from typing import Any

import pytest

from runstead.llm.scripted import Gate, Turn, call, carry, say
from tests.support.crash import doomed
from tests.support.tools import BOTH, Search, held_by
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, world

STATE = {"reasoning": "The user wants to know …", "signatures": ["AbC==", None, 0.5]}


def carried(here: World, number: int) -> dict[str, Any]:
    """The state that a request brings back, by the actions of the model in the turn that carried it."""
    request = here.model.requests[number]
    found: dict[str, Any] = {}
    for place, state in request.carried.items():
        message = request.messages[place]
        assert message["role"] == "assistant"
        found[message["tool_calls"][0]["function"]["arguments"]] = state
    return found


@pytest.mark.parametrize("state", [STATE, "text", 0, [], {}, False])
async def test_the_state_of_a_turn_comes_back_with_its_message(state: Any) -> None:
    turns: list[Turn] = [
        [say("Hm."), call("search", n=1), carry(state)],
        [call("search", n=2), carry([state])],
        "Done.",
    ]
    async with world(turns, tools=[Search()]) as here:
        run = await here.ended(await here.start(tools=BOTH[:1], instructions="Be brief."))
        assert run.status == "completed"
        assert [carried(here, number) for number in range(3)] == [
            {},
            {'{"n":1}': state},
            {'{"n":1}': state, '{"n":2}': [state]},
        ]


async def test_carried_state_is_not_visible_to_clients() -> None:
    async with world([[call("search"), carry({"secret": 1})], "Done."], tools=[Search()]) as here:
        run = await here.ended(await here.start(tools=BOTH[:1]))
        shown = repr([await here.steps(run), await here.messages(run), await here.events(run), run])
        assert "secret" not in shown
        assert "secret" not in repr(here.model.requests[1].messages)


async def test_carried_state_survives_a_wait_for_tool_outputs() -> None:
    async with world([[call("weather", city="Rome"), carry(STATE)], "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        await here.ended(run)
        assert carried(here, 1) == {'{"city":"Rome"}': STATE}


async def test_carried_state_survives_a_crashed_worker(tmp_path: Path) -> None:
    path, gate = tmp_path / "rs.db", Gate()
    async with doomed([[call("search", n=1), carry(STATE)]], path, tools=[Search(held_by(gate))]) as here:
        run = await here.start(tools=BOTH[:1])
        async with within():
            await gate.reached.wait()
    async with world(["Done."], path=path, tools=[Search()]) as here:
        assert (await here.ended(run)).status == "completed"
        assert carried(here, 0) == {'{"n":1}': STATE}


async def test_a_turn_that_broke_off_carries_nothing(tmp_path: Path) -> None:
    path, gate = tmp_path / "rs.db", Gate()
    async with doomed([[say("Half."), call("search", n=1), gate, carry(STATE)]], path, tools=[Search()]) as here:
        run = await here.start(tools=BOTH[:1])
        async with within():
            await gate.reached.wait()
    async with world(["Done."], path=path, tools=[Search()]) as here:
        assert (await here.ended(run)).status == "completed"
        assert here.model.requests[0].carried == {}
