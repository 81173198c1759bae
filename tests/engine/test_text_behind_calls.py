"""Text that the model writes behind its calls, in the same turn: a message of its own, and a part of the turn."""

from pathlib import Path

import pytest

from runstead.engine.check import examine
from runstead.llm.scripted import call, finish, refuse, say
from runstead.store.port import Store
from runstead.wire.content import RefusalPart
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.reader import Reader
from tests.support.tools import BOTH, Search
from tests.support.worlds import WEATHER, World, names, text_of, world

ROME = call("weather", city="Rome")
LOOKING = "I am looking."
MESSAGE = ["run.step.created", "run.step.in_progress", "message.created", "message.in_progress"]


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


async def consistent(here: World) -> None:
    wrong: list[str] = []
    await examine(here.adapters.store, lambda violation: wrong.append(str(violation)))
    assert wrong == []


async def test_it_is_a_message_before_the_client_is_asked(any_store: Store) -> None:
    async with world([[say("Hm. "), ROME, say(LOOKING)], "Sunny."], store=any_store) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert run.status == "requires_action"
        events = await here.events(run)
        Reader().read(events)
        assert names(events)[-7:] == [*MESSAGE, "message.completed", "run.step.completed", "run.requires_action"]
        assert [text_of(message) for message in await here.written(run)] == ["Hm. ", LOOKING]
        assert [step.type for step in await here.steps(run)] == ["message_creation", "tool_calls", "message_creation"]
        await consistent(here)
        await here.submit(run)
        assert (await here.ended(run)).status == "completed"
        assert [text_of(message) for message in await here.written(run)] == ["Hm. ", LOOKING, "Sunny."]
        await consistent(here)


async def test_the_model_sees_it_with_the_calls_of_its_turn() -> None:
    async with world([[say("Hm. "), ROME, say(LOOKING)], [say("Well. "), ROME], "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        run = await here.ended(run)
        await here.submit(run)
        await here.ended(run)
        told = [(each["role"], each["content"]) for each in here.model.requests[2].messages[1:]]
        assert told == [
            ("assistant", f"Hm. \n{LOOKING}"),
            ("tool", "sunny"),
            ("assistant", "Well. "),
            ("tool", "sunny"),
        ]


async def test_a_later_run_sees_it_as_a_message() -> None:
    async with world([[ROME, say(LOOKING)], "Sunny.", "Bye."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        run = await here.ended(run)
        await here.ended(await here.again(run))
        assert [each["content"] for each in here.model.requests[2].messages[1:]] == [LOOKING, "Sunny."]


async def test_it_survives_a_restart(tmp_path: Path) -> None:
    async with world([[ROME, say(LOOKING)]], path=tmp_path / "rs.db") as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
    async with world(["Sunny."], path=tmp_path / "rs.db") as here:
        await here.submit(run)
        assert (await here.ended(run)).status == "completed"
        assert here.model.requests[0].messages[1]["content"] == LOOKING


async def test_it_stands_beside_calls_that_the_server_runs() -> None:
    async with world([[call("search"), say(LOOKING)], "Done."], tools=[Search()]) as here:
        run = await here.ended(await here.start(tools=BOTH[:1]))
        assert run.status == "completed"
        assert [text_of(message) for message in await here.written(run)] == [LOOKING, "Done."]
        assert here.model.requests[1].messages[1]["content"] == LOOKING
        await consistent(here)


async def test_a_refusal_behind_calls_is_kept_too() -> None:
    async with world([[ROME, refuse("No.")]]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        [message] = await here.written(run)
        assert message.content == [RefusalPart(refusal="No.")]


async def test_white_space_behind_calls_is_no_message() -> None:
    async with world([[ROME, say("\n")]]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert (run.status, await here.written(run)) == ("requires_action", [])


async def test_calls_that_were_cut_leave_the_text() -> None:
    async with world([[ROME, say(LOOKING), finish("length")]]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        assert run.status == "incomplete"
        assert [text_of(message) for message in await here.written(run)] == [LOOKING]
        await consistent(here)
