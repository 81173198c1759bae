"""What is asked with a key is done once: its answer is kept with what was done, and given again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from runstead.domain.idempotency import DAY, MINUTE, Replay, digest, with_key, with_retry_count
from runstead.engine.resources.project import Project
from runstead.interface.streams import CreateRunStream, StreamCall, SubmitToolOutputStream
from runstead.llm.script import Gate, Turn, call, say
from runstead.store.port import Store
from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.error import BadRequest
from runstead.wire.event import RawEvent
from runstead.wire.message import Message, MessageRequest
from runstead.wire.page import Page
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.thread import ThreadRequest, ThreadUpdate
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.support.callers import project_of
from tests.support.crash import doomed
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, names, world

SCRIPT: list[Turn] = [call("weather", city="Oslo"), "Sunny."]
KEY = with_key("k", digest(b"this"))


@pytest.fixture(params=[adapter for adapter in ADAPTERS if adapter.name != "sqlite"], ids=lambda adapter: adapter.name)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    adapter: Adapter = request.param
    return adapter.make(tmp_path)


def hello(run: Run) -> MessageRequest:
    return MessageRequest(role="user", content="Hello again", on_busy="enqueue")


async def update_message(here: World, it: Project, run: Run) -> Message:
    first = (await here.messages(run))[0]
    return await it.update_message(run.thread_id, first.id, {"a": "b"})


Calling: TypeAlias = Callable[[World, Project, Run], Awaitable[object]]
CALLS: dict[str, Calling] = {
    "create_assistant": lambda _, it, __: it.create_assistant(AssistantRequest(model="m")),
    "update_assistant": lambda _, it, run: it.update_assistant(run.assistant_id, AssistantUpdate(name="N")),
    "create_thread": lambda _, it, __: it.create_thread(ThreadRequest()),
    "update_thread": lambda _, it, run: it.update_thread(run.thread_id, ThreadUpdate(metadata={"a": "b"})),
    "create_message": lambda _, it, run: it.create_message(run.thread_id, hello(run)),
    "update_message": update_message,
    "create_run": lambda _, it, run: it.create_run(
        run.thread_id, RunRequest(assistant_id=run.assistant_id, on_busy="interrupt")
    ),
    "create_thread_run": lambda _, it, run: it.create_thread_run(
        ThreadRunRequest(assistant_id=run.assistant_id, instructions="Greet.")
    ),
    "update_run": lambda _, it, run: it.update_run(run.thread_id, run.id, {"a": "b"}),
    "submit_tool_output": lambda here, it, run: it.submit_tool_output(run.thread_id, run.id, here.outputs(run)),
    "cancel": lambda _, it, run: it.cancel(run.thread_id, run.id),
}
"""Each with a run that waits for outputs."""
TESTED_ELSEWHERE = {name for name in ENDPOINTS if "webhook" in name}


def test_every_call_that_changes_something_is_tested() -> None:
    posts = {endpoint.name for endpoint in ENDPOINTS.values() if endpoint.method == "POST"}
    assert posts - TESTED_ELSEWHERE == CALLS.keys()


async def waiting(here: World) -> Run:
    """A run that waits for the output of its call."""
    return await here.ended(await here.start(tools=[WEATHER]))


async def repeated(work: Awaitable[object]) -> Replay:
    with pytest.raises(Replay) as raised:
        await work
    return raised.value


@pytest.mark.parametrize("name", CALLS)
async def test_a_call_made_again_is_answered_as_it_was_and_does_nothing(any_store: Store, name: str) -> None:
    async with world([call("weather", city="Oslo"), *["Sunny."] * 3], store=any_store) as here:
        run = await waiting(here)
        answer = await CALLS[name](here, here.project.once(KEY), run)
        for each in (await here.project.runs(run.thread_id)).data:
            await here.ended(each)
        before = await everything(here, run)
        for _ in range(2):
            again = await repeated(CALLS[name](here, here.project.once(KEY), run))
            assert again.answer == msgspec.json.encode(answer)
        assert await everything(here, run) == before


async def everything(here: World, run: Run) -> list[Any]:
    it = here.project
    lists: list[Page[Any]] = [
        await it.assistants(),
        await it.threads(),
        await it.messages(run.thread_id),
        await it.runs(run.thread_id),
    ]
    return [[item.id for item in each.data] for each in lists] + [await here.now(run)]


async def test_the_same_key_for_something_else_is_refused() -> None:
    async with world() as here:
        await here.project.once(KEY).create_thread()
        with pytest.raises(BadRequest, match="use a new key"):
            await here.project.once(with_key("k", digest(b"that"))).create_thread()
        assert len((await here.project.threads()).data) == 1


async def test_projects_have_keys_of_their_own() -> None:
    async with world() as here:
        await here.project.once(KEY).create_thread()
        await project_of(here.application, "another").once(KEY).create_thread()


async def test_what_was_refused_is_kept_under_no_key(any_store: Store) -> None:
    async with world(SCRIPT, store=any_store) as here:
        run = await waiting(here)
        request = RunRequest(assistant_id=run.assistant_id, tools=[])
        for _ in range(2):
            with pytest.raises(BadRequest, match="active run"):
                await here.project.once(KEY).create_run(run.thread_id, request)
        await here.project.cancel(run.thread_id, run.id)
        made = await here.project.once(KEY).create_run(run.thread_id, request)
        assert (
            msgspec.json.decode((await repeated(here.project.once(KEY).create_run(run.thread_id, request))).answer)[
                "id"
            ]
            == made.id
        )


async def test_nobody_carries_a_run_because_it_was_asked_for_again(any_store: Store) -> None:
    async with world(["Hello!"], store=any_store) as here:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        run = await here.project.once(KEY).create_run(thread_id, request)
        for _ in range(3):
            await repeated(here.project.once(KEY).create_run(thread_id, request))
        assert (await here.ended(run)).status == "completed"
        await repeated(here.project.once(KEY).create_run(thread_id, request))
        assert len(here.model.requests) == 1


async def test_of_those_who_ask_at_the_same_time_one_is_heard(any_store: Store) -> None:
    async with world(["Hello!"], store=any_store) as here:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        asking = (here.project.once(KEY).create_run(thread_id, request) for _ in range(8))
        told = await asyncio.gather(*asking, return_exceptions=True)
        [run] = [each for each in told if isinstance(each, Run)]
        again = [each for each in told if isinstance(each, Replay)]
        assert [each.answer for each in again] == [msgspec.json.encode(run)] * 7
        assert [each.id for each in (await here.project.runs(thread_id)).data] == [run.id]
        assert (await here.ended(run)).status == "completed"


async def streamed(it: Project, call: StreamCall) -> list[RawEvent]:
    async with within():
        return [event async for batch in it.stream(call) for event in batch]


async def heard_again(it: Project, call: StreamCall) -> list[RawEvent]:
    again = await repeated(streamed(it.once(KEY), call))
    async with within():
        return [event async for batch in it.again(again) for event in batch]


def stored(events: Sequence[RawEvent]) -> list[RawEvent]:
    return [event for event in events if not event.at.delta]


async def test_a_stream_is_told_again_from_where_it_began(any_store: Store) -> None:
    async with world(SCRIPT, store=any_store) as here:
        thread_id = await here.thread("Hi")
        begin = CreateRunStream(thread_id, RunRequest(assistant_id=await here.assistant([WEATHER])))
        first = await streamed(here.project.once(KEY), begin)
        assert await heard_again(here.project, begin) == stored(first)
        run = (await here.project.runs(thread_id)).data[0]
        other = with_key("other", digest(b"outputs"))
        outputs = SubmitToolOutputStream(thread_id, run.id, here.outputs(run))
        second = await streamed(here.project.once(other), outputs)
        again = await repeated(streamed(here.project.once(other), outputs))
        async with within():
            told = [event async for batch in here.project.again(again) for event in batch]
        assert told == stored(second)
        whole = [*stored(first), *stored(second)]
        assert await heard_again(here.project, begin) == whole


async def test_who_asks_for_a_stream_again_hears_the_rest_as_it_comes() -> None:
    gate = Gate()
    async with world([[say("Hel"), gate, say("lo")]]) as here:
        request = RunRequest(assistant_id=await here.assistant())
        thread_id = await here.thread("Hi")
        run = await here.project.once(KEY).create_run(thread_id, request)
        await gate.reached.wait()
        again = here.project.again(
            await repeated(streamed(here.project.once(KEY), CreateRunStream(thread_id, request)))
        )
        async with within():
            told = list[str]()
            async for batch in again:
                told += [event.name for event in batch]
                gate.open()
        assert told[0] == "thread.run.created"
        assert told[-1] == "thread.run.completed"
        assert "thread.message.delta" in told
        assert names(await here.events(run))[-1] == "run.completed"


async def test_what_a_process_wrote_before_it_died_is_answered_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "rs.db"
    async with doomed(["Hello!"], path) as here:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        run = await here.project.once(KEY).create_run(thread_id, request)
    async with world(["Hello!"], path=path) as here:
        again = await repeated(here.project.once(KEY).create_run(thread_id, request))
        assert again.answer == msgspec.json.encode(run)
        assert (await here.ended(run)).status == "completed"
        assert len((await here.project.runs(thread_id)).data) == 1


async def test_after_a_day_a_key_is_forgotten(any_store: Store) -> None:
    async with world(store=any_store) as here:
        made = await here.project.once(KEY).create_thread()
        await here.clock.advance(DAY - 1)
        await repeated(here.project.once(KEY).create_thread())
        await here.clock.advance(1)
        assert (await here.project.once(KEY).create_thread()).id != made.id


class Client:
    """One that names no key, but counts its tries."""

    def __init__(self, here: World) -> None:
        self._it = here.project

    async def thread(self, tries: int = 0, text: bytes = b"{}") -> str:
        asked = with_retry_count(tries, digest(text), None)
        return await _id(self._it.once(asked).create_thread())

    async def message(self, thread_id: str, tries: int = 0, text: str = "Hi") -> str:
        asked = with_retry_count(tries, digest(text.encode()), thread_id)
        return await _id(self._it.once(asked).create_message(thread_id, MessageRequest(role="user", content=text)))


async def _id(made: Awaitable[Any]) -> str:
    try:
        found: str = (await made).id
    except Replay as repeated:
        found = msgspec.json.decode(repeated.answer)["id"]
    return found


async def test_a_further_try_gets_what_the_last_request_about_its_thread_made(any_store: Store) -> None:
    async with world(store=any_store) as here:
        client, thread_id = Client(here), await here.thread()
        first, second = [await client.message(thread_id) for _ in range(2)]
        assert first != second
        assert [await client.message(thread_id, tries) for tries in (1, 2)] == [second, second]
        other = await client.message(thread_id, text="What?")
        third = await client.message(thread_id, 1)
        assert third not in {first, second, other}
        assert await client.message(thread_id, 2) == third


async def test_a_further_try_after_a_minute_is_done() -> None:
    async with world() as here:
        client, thread_id = Client(here), await here.thread()
        first = await client.message(thread_id)
        await here.clock.advance(MINUTE - 1)
        assert await client.message(thread_id, 1) == first
        await here.clock.advance(1)
        assert await client.message(thread_id, 1) != first


async def test_a_further_try_gets_the_one_thread_that_was_made(any_store: Store) -> None:
    async with world(store=any_store) as here:
        client = Client(here)
        made = await client.thread()
        assert [await client.thread(tries) for tries in (1, 2)] == [made, made]
        assert await client.thread(1, b"other") != made


async def test_a_thread_that_somebody_uses_is_given_to_nobody_else(any_store: Store) -> None:
    async with world(store=any_store) as here:
        client = Client(here)
        used = await client.thread()
        await client.message(used)
        mine = await client.thread(1)
        assert mine != used
        assert await client.thread(2) == mine


async def test_of_two_threads_that_look_alike_neither_is_given_to_anybody(any_store: Store) -> None:
    async with world(store=any_store) as here:
        client = Client(here)
        made = {await client.thread(), await client.thread()}
        assert await client.thread(1) not in made


async def test_a_thread_like_one_that_is_used_already_is_found_again() -> None:
    async with world() as here:
        client = Client(here)
        await client.message(await client.thread())
        made = await client.thread()
        assert await client.thread(1) == made
