"""The client retries unanswered requests, and idempotency keys prevent duplicates, also across a server crash."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

import runstead
from runstead import bootstrap
from runstead.client import AsyncClient, AsyncPage
from runstead.llm.scripted import ScriptedModel, Turn, call
from runstead.wire.assistant import AssistantRequest
from runstead.wire.error import BadRequest, Unreachable
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import Function, FunctionTool, ToolOutput
from tests.e2e.test_kill import Lives
from tests.support.lost_answers import LossyProxy, lossy_proxy
from tests.support.serving import served_at
from tests.support.waiting import until, within

SCRIPT: list[Turn] = [call("weather", city="Oslo"), *["Sunny."] * 3]
HI = MessageRequest(role="user", content="Hi")
WEATHER = FunctionTool(function=Function(name="weather"))

Calling: TypeAlias = Callable[[AsyncClient, Run], Awaitable[Any]]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(SCRIPT)


@pytest.fixture
async def url(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[str]:
    async with bootstrap.embedded(tmp_path / "rs.db", model, 600) as application, served_at(application) as url:
        yield url


@pytest.fixture
def proxy(url: str) -> Iterator[LossyProxy]:
    with lossy_proxy(url) as proxy:
        yield proxy


@pytest.fixture
async def direct(url: str) -> AsyncIterator[AsyncClient]:
    async with runstead.connect_async(url) as client:
        yield client


async def waiting(client: AsyncClient) -> Run:
    """A run that waits for tool outputs."""
    assistant = await client.create_assistant(AssistantRequest(model="m", tools=[WEATHER]))
    thread = await client.create_thread(ThreadRequest(messages=[HI]))
    return await client.wait(await client.create_run(thread.id, RunRequest(assistant_id=assistant.id)))


def outputs(run: Run) -> list[ToolOutput]:
    assert run.required_action is not None
    calls = run.required_action.submit_tool_outputs.tool_calls
    return [ToolOutput(tool_call_id=call.id, output="sunny") for call in calls]


def another(run: Run) -> RunRequest:
    return RunRequest(assistant_id=run.assistant_id, tools=[], on_busy="interrupt")


CALLS: dict[str, Calling] = {
    "assistant": lambda client, _: client.create_assistant(AssistantRequest(model="m")),
    "thread": lambda client, _: client.create_thread(),
    "message": lambda client, run: client.create_message(
        run.thread_id, MessageRequest(role="user", content="And?", on_busy="enqueue")
    ),
    "run": lambda client, run: client.create_run(run.thread_id, another(run)),
    "streamed run": lambda client, run: client.create_streaming_run(run.thread_id, another(run)).final_run(),
    "thread and run": lambda client, run: client.create_thread_run(
        ThreadRunRequest(assistant_id=run.assistant_id, instructions="Greet.")
    ),
    "outputs": lambda client, run: client.submit_tool_output(run.thread_id, run.id, outputs(run)),
    "streamed outputs": lambda client, run: client.submit_streaming_tool_output(
        run.thread_id, run.id, outputs(run)
    ).final_run(),
    "cancel": lambda client, run: client.cancel(run.thread_id, run.id),
}


async def everything(client: AsyncClient, run: Run) -> list[int]:
    lists: list[Awaitable[AsyncPage[Any]]] = [
        client.assistants(),
        client.threads(),
        client.messages(run.thread_id),
        client.runs(run.thread_id),
    ]
    return [len((await each).data) for each in lists]


@pytest.mark.parametrize("name", CALLS)
async def test_a_request_whose_answer_is_lost_takes_effect_once(
    direct: AsyncClient, proxy: LossyProxy, name: str
) -> None:
    run = await waiting(direct)
    before = await everything(direct, run)
    proxy.lose_answers()
    async with within(), runstead.connect_async(proxy.url) as client:
        await CALLS[name](client, run)
    assert proxy.lost_all
    for each in (await direct.runs(run.thread_id)).data:
        await direct.wait(each)
    made = [after - was for after, was in zip(await everything(direct, run), before, strict=True)]
    assert (
        made
        == {
            "assistant": [1, 0, 0, 0],
            "thread": [0, 1, 0, 0],
            "message": [0, 0, 1, 0],
            "run": [0, 0, 1, 1],  # with its message
            "streamed run": [0, 0, 1, 1],
            "thread and run": [0, 1, 0, 0],
            "outputs": [0, 0, 1, 0],
            "streamed outputs": [0, 0, 1, 0],
            "cancel": [0, 0, 0, 0],
        }[name]
    )


async def test_a_driven_run_survives_any_lost_request_or_answer(
    direct: AsyncClient, proxy: LossyProxy, model: ScriptedModel
) -> None:
    called = 0

    def weather(city: str) -> str:
        nonlocal called
        called += 1
        proxy.lose_answers(2)
        return f"Sunny in {city}"

    assistant = await direct.create_assistant(AssistantRequest(model="m"))
    thread = await direct.create_thread(ThreadRequest(messages=[HI]))
    proxy.lose_answers(2)
    async with within(), runstead.connect_async(proxy.url) as client:
        request = RunRequest(assistant_id=assistant.id)
        run = await client.once("order 17").drive(thread.id, request, [weather])
    assert run.status == "completed"
    assert called == 1
    assert len(model.requests) == 2


async def test_a_restarted_program_finds_its_run_by_the_same_keys(direct: AsyncClient, model: ScriptedModel) -> None:
    def weather(city: str) -> str:
        return f"Sunny in {city}"

    assistant = await direct.create_assistant(AssistantRequest(model="m"))
    thread = await direct.create_thread(ThreadRequest(messages=[HI]))
    request = RunRequest(assistant_id=assistant.id)
    async with within():
        runs = [await direct.once("order 17").drive(thread.id, request, [weather]) for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(model.requests) == 2
    with pytest.raises(BadRequest, match="use a new key"):
        await direct.once("order 17").create_thread()


async def test_a_request_is_not_retried_on_a_server_without_idempotency(proxy: LossyProxy, direct: AsyncClient) -> None:
    """The same holds for a server whose features are unknown, because it has answered nothing yet."""
    proxy.lose_answers(4)
    async with within(), runstead.connect_async(proxy.url) as client:
        with pytest.raises(Unreachable, match="may have been carried out"):
            await client.create_thread()
    assert len((await direct.threads()).data) == 1


async def test_a_server_killed_before_its_answer_replays_it_after_the_restart(tmp_path: Path) -> None:
    async with within(60), Lives(tmp_path) as lives, runstead.connect_async(lives.url) as direct:
        assistant = await direct.create_assistant(AssistantRequest(model="m", tools=[WEATHER]))
        thread = await direct.create_thread(ThreadRequest(messages=[HI]))
        with lossy_proxy(lives.url) as proxy:
            proxy.lose_answers()
            proxy.at_loss = lives.kill
            async with runstead.connect_async(proxy.url, max_retries=20) as client, asyncio.TaskGroup() as group:
                request = RunRequest(assistant_id=assistant.id)
                making = group.create_task(client.create_run(thread.id, request))
                await until(lambda: proxy.lost_all)
                await lives.die()
                await lives.begin()
                run = await making
        assert [each.id for each in (await direct.runs(thread.id)).data] == [run.id]
        assert (await direct.wait(run)).status == "requires_action"
