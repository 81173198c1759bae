"""Idempotent requests: carried out once, with the reply stored in the same transaction and returned to retries."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest

from runstead.domain.idempotency import MINUTE, Replay, digest, with_key, with_retry_count
from runstead.engine.resources.project import Project
from runstead.interface.streams import CreateRunStream, StreamCall, SubmitToolOutputStream
from runstead.llm.scripted import Gate, Turn, call, say
from runstead.store.port import Store
from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.endpoints import ENDPOINTS, vector_stores
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.error import BadRequest
from runstead.wire.event import RawEvent
from runstead.wire.message import Message, MessageRequest
from runstead.wire.page import Page
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.thread import ThreadRequest, ThreadUpdate
from tests.contract.store.adapters import ADAPTERS, Adapter
from tests.engine.uploads import form
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
    "create_file": lambda _, it, __: it.create_file(form()),
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
"""The calls that change something, each for a run in `requires_action`."""
OF_STORES = {value.name for value in vars(vector_stores).values() if isinstance(value, Endpoint)}
CHANGES_NOTHING = {"embeddings"}
TESTED_ELSEWHERE = {name for name in ENDPOINTS if "webhook" in name or "limits" in name or name in OF_STORES}


def test_every_call_that_changes_something_is_tested() -> None:
    posts = {endpoint.name for endpoint in ENDPOINTS.values() if endpoint.method == "POST"}
    assert posts - TESTED_ELSEWHERE - CHANGES_NOTHING == CALLS.keys()


async def paused(here: World) -> Run:
    """A run in `requires_action`."""
    return await here.ended(await here.start(tools=[WEATHER]))


async def replayed(work: Awaitable[object]) -> Replay:
    """The replay that a retry raises."""
    with pytest.raises(Replay) as raised:
        await work
    return raised.value


@pytest.mark.parametrize("name", CALLS)
async def test_a_retry_gets_the_first_reply_and_changes_nothing(name: str) -> None:
    async with world([call("weather", city="Oslo"), *["Sunny."] * 3]) as here:
        run = await paused(here)
        answer = await CALLS[name](here, here.project.once(KEY), run)
        for each in (await here.project.runs(run.thread_id)).data:
            await here.ended(each)
        before = await everything(here, run)
        for _ in range(2):
            again = await replayed(CALLS[name](here, here.project.once(KEY), run))
            assert again.answer == msgspec.json.encode(answer)
        assert await everything(here, run) == before


async def everything(here: World, run: Run) -> list[Any]:
    """The ids of all objects, and the run."""
    it = here.project
    lists: list[Page[Any]] = [
        await it.assistants(),
        await it.threads(),
        await it.messages(run.thread_id),
        await it.runs(run.thread_id),
    ]
    return [[item.id for item in each.data] for each in lists] + [await here.now(run)]


async def test_each_project_has_its_own_keys() -> None:
    async with world() as here:
        await here.project.once(KEY).create_thread()
        await project_of(here.application, "another").once(KEY).create_thread()


async def test_a_refused_request_leaves_no_record(any_store: Store) -> None:
    async with world(SCRIPT, store=any_store) as here:
        run = await paused(here)
        request = RunRequest(assistant_id=run.assistant_id, tools=[])
        for _ in range(2):
            with pytest.raises(BadRequest, match="active run"):
                await here.project.once(KEY).create_run(run.thread_id, request)
        await here.project.cancel(run.thread_id, run.id)
        made = await here.project.once(KEY).create_run(run.thread_id, request)
        replay = await replayed(here.project.once(KEY).create_run(run.thread_id, request))
        assert msgspec.json.decode(replay.answer)["id"] == made.id


async def test_a_retry_does_not_execute_a_run_again(any_store: Store) -> None:
    async with world(["Hello!"], store=any_store) as here:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        run = await here.project.once(KEY).create_run(thread_id, request)
        for _ in range(3):
            await replayed(here.project.once(KEY).create_run(thread_id, request))
        assert (await here.ended(run)).status == "completed"
        await replayed(here.project.once(KEY).create_run(thread_id, request))
        assert len(here.model.requests) == 1


async def test_of_concurrent_requests_with_one_key_one_is_carried_out(any_store: Store) -> None:
    async with world(["Hello!"], store=any_store) as here:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        requests = (here.project.once(KEY).create_run(thread_id, request) for _ in range(8))
        replies = await asyncio.gather(*requests, return_exceptions=True)
        [run] = [each for each in replies if isinstance(each, Run)]
        replays = [each for each in replies if isinstance(each, Replay)]
        assert [each.answer for each in replays] == [msgspec.json.encode(run)] * 7
        assert [each.id for each in (await here.project.runs(thread_id)).data] == [run.id]
        assert (await here.ended(run)).status == "completed"


async def streamed(it: Project, call: StreamCall) -> list[RawEvent]:
    async with within():
        return [event async for batch in it.stream(call) for event in batch]


async def replayed_stream(it: Project, call: StreamCall) -> list[RawEvent]:
    again = await replayed(streamed(it.once(KEY), call))
    async with within():
        return [event async for batch in it.again(again, call) for event in batch]


def stored(events: Sequence[RawEvent]) -> list[RawEvent]:
    return [event for event in events if not event.at.delta]


async def test_a_retried_stream_has_the_stored_events_of_the_first(any_store: Store) -> None:
    async with world(SCRIPT, store=any_store) as here:
        thread_id = await here.thread("Hi")
        begin = CreateRunStream(thread_id, RunRequest(assistant_id=await here.assistant([WEATHER])))
        first = await streamed(here.project.once(KEY), begin)
        assert await replayed_stream(here.project, begin) == stored(first)
        run = (await here.project.runs(thread_id)).data[0]
        other = with_key("other", digest(b"outputs"))
        outputs = SubmitToolOutputStream(thread_id, run.id, here.outputs(run))
        second = await streamed(here.project.once(other), outputs)
        again = await replayed(streamed(here.project.once(other), outputs))
        async with within():
            events = [event async for batch in here.project.again(again, outputs) for event in batch]
        assert events == stored(second)
        whole = [*stored(first), *stored(second)]
        assert await replayed_stream(here.project, begin) == whole


async def test_a_retried_stream_of_an_active_run_continues_live() -> None:
    gate = Gate()
    async with world([[say("Hel"), gate, say("lo")]]) as here:
        request = RunRequest(assistant_id=await here.assistant())
        thread_id = await here.thread("Hi")
        run = await here.project.once(KEY).create_run(thread_id, request)
        await gate.reached.wait()
        call = CreateRunStream(thread_id, request)
        again = here.project.again(await replayed(streamed(here.project.once(KEY), call)), call)
        async with within():
            received = list[str]()
            async for batch in again:
                received += [event.name for event in batch]
                gate.open()
        assert received[0] == "thread.run.created"
        assert received[-1] == "thread.run.completed"
        assert "thread.message.delta" in received
        assert names(await here.events(run))[-1] == "run.completed"


async def test_a_retry_after_a_crash_gets_the_first_reply(tmp_path: Path) -> None:
    path = tmp_path / "rs.db"
    async with doomed(["Hello!"], path) as here:
        thread_id, request = await here.thread("Hi"), RunRequest(assistant_id=await here.assistant())
        run = await here.project.once(KEY).create_run(thread_id, request)
    async with world(["Hello!"], path=path) as here:
        again = await replayed(here.project.once(KEY).create_run(thread_id, request))
        assert again.answer == msgspec.json.encode(run)
        assert (await here.ended(run)).status == "completed"
        assert len((await here.project.runs(thread_id)).data) == 1


class Client:
    """A client that sends no key, but counts its retries."""

    def __init__(self, here: World) -> None:
        self._it = here.project

    async def thread(self, retries: int = 0, text: bytes = b"{}") -> str:
        request = with_retry_count(retries, digest(text), None)
        return await _id(self._it.once(request).create_thread())

    async def message(self, thread_id: str, retries: int = 0, text: str = "Hi") -> str:
        request = with_retry_count(retries, digest(text.encode()), thread_id)
        return await _id(self._it.once(request).create_message(thread_id, MessageRequest(role="user", content=text)))


async def _id(made: Awaitable[Any]) -> str:
    try:
        found: str = (await made).id
    except Replay as replay:
        found = msgspec.json.decode(replay.answer)["id"]
    return found


async def test_a_counted_retry_gets_the_reply_of_the_last_request_about_its_thread() -> None:
    async with world() as here:
        client, thread_id = Client(here), await here.thread()
        first, second = [await client.message(thread_id) for _ in range(2)]
        assert first != second
        assert [await client.message(thread_id, retries) for retries in (1, 2)] == [second, second]
        other = await client.message(thread_id, text="What?")
        third = await client.message(thread_id, 1)
        assert third not in {first, second, other}
        assert await client.message(thread_id, 2) == third


async def test_a_counted_retry_after_a_minute_is_carried_out() -> None:
    async with world() as here:
        client, thread_id = Client(here), await here.thread()
        first = await client.message(thread_id)
        await here.clock.advance(MINUTE - 1)
        assert await client.message(thread_id, 1) == first
        await here.clock.advance(1)
        assert await client.message(thread_id, 1) != first


async def test_a_counted_retry_gets_the_thread_that_was_created() -> None:
    async with world() as here:
        client = Client(here)
        made = await client.thread()
        assert [await client.thread(retries) for retries in (1, 2)] == [made, made]
        assert await client.thread(1, b"other") != made


async def test_a_thread_that_has_been_used_is_not_returned_to_a_retry() -> None:
    async with world() as here:
        client = Client(here)
        used = await client.thread()
        await client.message(used)
        mine = await client.thread(1)
        assert mine != used
        assert await client.thread(2) == mine


async def test_neither_of_two_identical_threads_is_returned_to_a_retry() -> None:
    async with world() as here:
        client = Client(here)
        made = {await client.thread(), await client.thread()}
        assert await client.thread(1) not in made


async def test_a_thread_identical_to_a_used_one_is_returned_to_a_retry() -> None:
    async with world() as here:
        client = Client(here)
        await client.message(await client.thread())
        made = await client.thread()
        assert await client.thread(1) == made
