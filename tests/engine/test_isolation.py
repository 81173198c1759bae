"""Projects are isolated: objects of one do not exist in another."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Any

import pytest
from msgspec.structs import replace

from runstead.engine.resources.project import Project
from runstead.llm.scripted import Gate, Turn, call
from runstead.wire.assistant import AssistantUpdate
from runstead.wire.endpoints import ENDPOINTS, vector_stores
from runstead.wire.endpoints.endpoint import Endpoint
from runstead.wire.error import NotFound
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.thread import ThreadUpdate
from runstead.wire.tool import ToolOutput
from runstead.wire.webhook import WebhookRequest, WebhookUpdate
from tests.engine.uploads import upload
from tests.support.callers import project_of
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, world

Calls = dict[str, Awaitable[Any] | AsyncIterator[Any]]
NOT_OF_A_PROJECT = {"models", "get_model", "embeddings", "create_assistant", "create_thread", "assistants", "threads"}
NOT_OF_A_PROJECT |= {"create_webhook", "webhooks", "create_file", "files", "project_limits", "update_project_limits"}
NOT_OF_A_PROJECT |= {each.name for each in vars(vector_stores).values() if isinstance(each, Endpoint)}  # elsewhere


def calls(rs: Project, run: Run, message_id: str, step_id: str, webhook_id: str, file_id: str) -> Calls:
    """A call of every method that takes an id, with these ids."""
    thread_id, run_id, assistant_id = run.thread_id, run.id, run.assistant_id
    said = MessageRequest(role="user", content="Hi")
    outputs = [ToolOutput(tool_call_id="call_1", output="")]
    return {
        "get_assistant": rs.get_assistant(assistant_id),
        "update_assistant": rs.update_assistant(assistant_id, AssistantUpdate(name="x")),
        "delete_assistant": rs.delete_assistant(assistant_id),
        "get_thread": rs.get_thread(thread_id),
        "update_thread": rs.update_thread(thread_id, ThreadUpdate(metadata={"a": "b"})),
        "delete_thread": rs.delete_thread(thread_id),
        "create_message": rs.create_message(thread_id, said),
        "messages": rs.messages(thread_id),
        "get_message": rs.get_message(thread_id, message_id),
        "update_message": rs.update_message(thread_id, message_id, {"a": "b"}),
        "delete_message": rs.delete_message(thread_id, message_id),
        "create_run": rs.create_run(thread_id, RunRequest(assistant_id=assistant_id)),
        "create_streaming_run": rs.create_streaming_run(thread_id, RunRequest(assistant_id=assistant_id)),
        "create_thread_run": rs.create_thread_run(ThreadRunRequest(assistant_id=assistant_id)),
        "create_streaming_thread_run": rs.create_streaming_thread_run(ThreadRunRequest(assistant_id=assistant_id)),
        "runs": rs.runs(thread_id),
        "get_run": rs.get_run(thread_id, run_id),
        "update_run": rs.update_run(thread_id, run_id, {"a": "b"}),
        "submit_tool_output": rs.submit_tool_output(thread_id, run_id, outputs),
        "submit_streaming_tool_output": rs.submit_streaming_tool_output(thread_id, run_id, outputs),
        "cancel": rs.cancel(thread_id, run_id),
        "run_steps": rs.run_steps(thread_id, run_id),
        "run_step": rs.run_step(thread_id, run_id, step_id),
        "run_events": rs.run_events(thread_id, run_id),
        "get_file": rs.get_file(file_id),
        "file_content": rs.file_content(file_id),
        "delete_file": rs.delete_file(file_id),
        "get_webhook": rs.get_webhook(webhook_id),
        "update_webhook": rs.update_webhook(webhook_id, WebhookUpdate(name="x")),
        "rotate_webhook_secret": rs.rotate_webhook_secret(webhook_id),
        "test_webhook": rs.test_webhook(webhook_id, "thread.run.completed"),
        "delete_webhook": rs.delete_webhook(webhook_id),
        "webhook_deliveries": rs.webhook_deliveries(webhook_id),
        "replay_webhook_delivery": rs.replay_webhook_delivery(webhook_id, "evt_1"),
    }


async def do(call: Awaitable[Any] | AsyncIterator[Any]) -> Any:
    async with within():
        if isinstance(call, Awaitable):
            return await call
        async with aclosing(call) as events:  # type: ignore[type-var]
            return await anext(events)


async def everything(here: World) -> list[Any]:
    """All objects of the project."""
    rs = here.project
    threads = (await rs.threads()).data
    webhooks = (await rs.webhooks()).data
    found: list[Any] = [await rs.assistants(), await rs.files(), threads, webhooks]
    found += [await rs.webhook_deliveries(webhook.id) for webhook in webhooks]
    for thread in threads:
        runs = (await rs.runs(thread.id)).data
        found += [await rs.messages(thread.id), runs]
        found += [await rs.run_steps(thread.id, run.id) for run in runs]
    return found


async def test_objects_of_another_project_are_not_found() -> None:
    gate = Gate()
    turns: list[Turn] = [[call("weather", city="Rome")], gate]
    async with world(turns) as here:
        webhook = await here.project.create_webhook(WebhookRequest(url="https://example.com"))
        file = await upload(here)
        run = await here.ended(await here.start(tools=[WEATHER]))
        [step], [message] = await here.steps(run), await here.messages(run)
        before = await everything(here)
        other = project_of(here.application, "another")
        tried = calls(other, run, message.id, step.id, webhook.id, file.id)
        streaming = {endpoint.streaming for endpoint in ENDPOINTS.values() if endpoint.streaming}
        assert set(tried) == set(ENDPOINTS) - NOT_OF_A_PROJECT | streaming, "every endpoint is tried"
        for name, call_ in tried.items():
            with pytest.raises(NotFound) as refused:
                await do(call_)
            unknown = run.assistant_id if "assistant" in name or "thread_run" in name else run.thread_id
            unknown = webhook.id if "webhook" in name else unknown
            kind = unknown.partition("_")[0].replace("asst", "assistant")
            words = f"No {kind} found with id '{unknown}'."
            assert refused.value.message == (f"No such File object: {file.id}" if "file" in name else words), name
        assert (await other.assistants()).data == []
        assert (await other.threads()).data == []
        assert (await other.webhooks()).data == []
        assert (await other.files()).data == []
        assert await everything(here) == before


async def test_ids_of_another_project_are_not_found_in_an_own_thread() -> None:
    async with world([call("weather"), call("weather")]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        [step], [message] = await here.steps(run), await here.messages(run)
        mine = here.project
        other = project_of(here.application, "another")
        thread = await other.create_thread()
        assert (await other.threads()).data == [thread]
        tried = calls(other, replace(run, thread_id=thread.id), message.id, step.id, "webhook_1", "file-1")
        for name, call_ in tried.items():
            if name in {"get_thread", "update_thread", "delete_thread", "create_message", "messages", "runs"}:
                if isinstance(call_, Awaitable):
                    call_.close()  # type: ignore[attr-defined]
                continue
            with pytest.raises(NotFound):
                await do(call_)
        for cursor in (run.id, message.id, step.id):
            with pytest.raises(NotFound):
                await other.messages(thread.id, after=cursor)
        assert (await other.messages(thread.id, run_id=run.id)).data == []
        assert await mine.get_run(run.thread_id, run.id) == run
