"""The requests that a run sends to its model server, also from another program on the same file."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import runstead
from runstead import (
    AssistantRequest,
    Function,
    FunctionTool,
    ImageFile,
    ImageFilePart,
    MessageRequest,
    Run,
    RunRequest,
    Status,
    TextInput,
    ThreadRequest,
    ThreadRunRequest,
    ToolOutput,
)
from runstead.client import AsyncClient
from runstead.wire.content import InputPart
from tests.llm.fake_upstream import Exchange, FakeUpstream, chunk, fake_upstream, refused, stream, text
from tests.support.waiting import PATIENCE

TOOL = FunctionTool(function=Function(name="weather"))
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


async def call_then_say(exchange: Exchange) -> None:
    """Call the function, and answer with a text once it has an output."""
    if exchange.json["messages"][-1]["role"] == "tool":
        await text("Sunny.")(exchange)
    else:
        await stream(chunk({"tool_calls": [CALL]}), chunk({}, "tool_calls"))(exchange)


async def strict(exchange: Exchange) -> None:
    """Refuse all that no run needs, one field after the other."""
    for name in ("stream_options", "temperature", "top_p", "parallel_tool_calls"):
        if name in exchange.json:
            await refused(400, {"error": {"message": f"Unknown parameter: '{name}'.", "param": name}})(exchange)
            return
    await call_then_say(exchange)


@asynccontextmanager
async def opened(path: Path, upstream: FakeUpstream) -> AsyncIterator[AsyncClient]:
    async with runstead.open_async(path, model_url=upstream.url) as client:
        yield client


async def start(client: AsyncClient, assistant: dict[str, Any], run: dict[str, Any]) -> Run:
    """A run that waits for the output of its call."""
    made = await client.create_assistant(AssistantRequest(model="m", tools=[TOOL], **assistant))
    thread = await client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content="Hi")]))
    begun = await client.create_run(thread.id, RunRequest(assistant_id=made.id, **run))
    waiting = await client.wait(begun, timeout=PATIENCE)
    assert waiting.status is Status.REQUIRES_ACTION
    return waiting


async def finish(client: AsyncClient, run: Run) -> None:
    submitted = await client.submit_tool_output(run.thread_id, run.id, [ToolOutput(tool_call_id="call_1", output="ok")])
    assert (await client.wait(submitted, timeout=PATIENCE)).status is Status.COMPLETED


def options(exchange: Exchange) -> dict[str, Any]:
    return {name: value for name, value in exchange.json.items() if name not in {"model", "messages", "tools"}}


STREAM = {"stream": True, "stream_options": {"include_usage": True}}


@pytest.mark.parametrize(
    ("assistant", "run", "sent"),
    [
        ({}, {}, {}),
        ({}, {"temperature": None, "top_p": None}, {}),
        ({"temperature": 1.0}, {}, {"temperature": 1.0}),
        ({"temperature": 0.2}, {"temperature": 1.0}, {"temperature": 1.0}),
        ({"temperature": 0.2}, {"temperature": None}, {"temperature": 0.2}),
        ({}, {"top_p": 1.0, "parallel_tool_calls": True}, {"top_p": 1.0, "parallel_tool_calls": True}),
        ({}, {"max_completion_tokens": 500}, {"max_tokens": 500}),
    ],
)
async def test_only_chosen_options_are_sent_also_after_a_restart(
    assistant: dict[str, Any], run: dict[str, Any], sent: dict[str, Any], tmp_path: Path
) -> None:
    async with fake_upstream(call_then_say) as upstream:
        async with opened(tmp_path / "runs.db", upstream) as client:
            waiting = await start(client, assistant, run)
        async with opened(tmp_path / "runs.db", upstream) as client:
            await finish(client, waiting)
    first, second = map(options, upstream.exchanges)
    assert first == {**STREAM, **sent}
    assert {**second, "max_tokens": 500} == {**first, "max_tokens": 500}
    assert second.keys() == first.keys()


async def test_a_run_completes_on_a_server_that_refuses_every_optional_field(tmp_path: Path) -> None:
    chosen = {"temperature": 0.2, "top_p": 0.9, "parallel_tool_calls": False}
    async with fake_upstream(strict) as upstream, opened(tmp_path / "runs.db", upstream) as client:
        first = await start(client, {}, chosen)
        await finish(client, first)
        second = await start(client, {}, {})
        await finish(client, second)
    assert (first.temperature, first.top_p, first.parallel_tool_calls) == (0.2, 0.9, False)
    assert (second.temperature, second.top_p, second.parallel_tool_calls) == (1.0, 1.0, True)
    assert [options(exchange) for exchange in upstream.exchanges][4:] == [{"stream": True}] * 4


async def test_an_uploaded_image_is_sent_as_a_data_url(tmp_path: Path) -> None:
    async with fake_upstream(text("A", " cat.")) as upstream, opened(tmp_path / "rs.db", upstream) as client:
        image = await client.upload_file(b"\x89PNG\r\n\x1a\n" + bytes(3_000_000), "vision")
        parts: list[InputPart] = [
            TextInput(text="Look"),
            ImageFilePart(image_file=ImageFile(file_id=image.id, detail="high")),
        ]
        asked = ThreadRequest(messages=[MessageRequest(role="user", content=parts)])
        made = await client.create_assistant(AssistantRequest(model="m"))
        run = await client.create_thread_run(ThreadRunRequest(assistant_id=made.id, thread=asked))
        assert (await client.wait(run, timeout=PATIENCE)).status is Status.COMPLETED
        [message] = upstream.exchanges[0].json["messages"]
        assert message["content"][0] == {"type": "text", "text": "Look"}
        sent = message["content"][1]["image_url"]
        assert (sent["url"][:42], sent["detail"]) == ("data:image/png;base64,iVBORw0KGgoAAAAAAAAA", "high")
        assert len(base64.b64decode(sent["url"].partition(",")[2])) == image.bytes
