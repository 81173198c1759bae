"""Streams through a real connection, over the real engine."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import msgspec

from runstead.llm.scripted import Gate, Turn, call, say
from runstead.wire.codec.sse import Frame
from tests.api.served import engine, frames, served

BOUND = 10


async def start(client: httpx2.AsyncClient, **fields: Any) -> tuple[str, dict[str, Any]]:
    """A thread with a question, and the body of a run on it."""
    assistant = (await client.post("/assistants", json={"model": "m"})).json()
    thread = (await client.post("/threads", json={"messages": [{"role": "user", "content": "Hi"}]})).json()
    return f"/threads/{thread['id']}/runs", {"assistant_id": assistant["id"], **fields}


async def read(client: httpx2.AsyncClient, method: str, path: str, **request: Any) -> list[Frame]:
    async with asyncio.timeout(BOUND), client.stream(method, path, **request) as response:
        assert response.status_code == 200, await response.aread()
        return [frame async for frame in frames(response)]


def text_of(events: list[Frame]) -> str:
    deltas = [msgspec.json.decode(frame.data) for frame in events if frame.event == "thread.message.delta"]
    return "".join(delta["delta"]["content"][0]["text"]["value"] for delta in deltas)


async def test_a_run_is_streamed_from_its_creation_to_done(client: httpx2.AsyncClient) -> None:
    path, body = await start(client, stream=True)
    events = await read(client, "POST", path, json=body)
    names = [frame.event for frame in events]
    assert names[:3] == ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]
    assert names[-3:] == ["thread.run.step.completed", "thread.run.completed", "done"]
    assert text_of(events) == "Hello there!"
    assert events[-1].data == b"[DONE]"
    assert all(frame.id for frame in events[:-1])


async def test_a_thread_run_begins_with_its_thread(client: httpx2.AsyncClient) -> None:
    _, body = await start(client, stream=True)
    events = await read(client, "POST", "/threads/runs", json=body | {"instructions": "Greet."})
    assert events[0].event == "thread.created"


async def test_an_error_of_a_streaming_call_is_a_json_response(client: httpx2.AsyncClient) -> None:
    response = await client.post("/threads/thread_x/runs", json={"assistant_id": "asst_x", "stream": True})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    response = await client.get("/threads/thread_x/runs/run_x/events")
    assert response.status_code == 404


async def test_an_invalid_event_id_is_refused(client: httpx2.AsyncClient) -> None:
    path, body = await start(client, stream=True)
    events = await read(client, "POST", path, json=body)
    run_id = msgspec.json.decode(events[0].data)["id"]
    response = await client.get(f"{path}/{run_id}/events?after=yesterday")
    assert (response.status_code, response.json()["error"]["param"]) == (400, "after")


async def test_events_can_be_resumed_after_any_event_of_a_finished_run(client: httpx2.AsyncClient) -> None:
    path, body = await start(client, stream=True)
    first = await read(client, "POST", path, json=body)
    stored = [frame for frame in first[:-1] if frame.id and "." not in frame.id]
    run_id = msgspec.json.decode(first[0].data)["id"]
    for seen, frame in enumerate(stored):
        rest = await read(client, "GET", f"{path}/{run_id}/events", headers={"Last-Event-ID": frame.id or ""})
        assert rest == [*stored[seen + 1 :], first[-1]]


async def test_a_disconnect_does_not_stop_the_run(tmp_path: Path) -> None:
    gate = Gate()
    script: list[Turn] = [[say("Hello"), gate, say(" there!")]]
    async with engine(tmp_path, script) as application, served(application) as client:
        path, body = await start(client, stream=True)
        async with asyncio.timeout(BOUND), client.stream("POST", path, json=body) as response:
            seen = []
            async for frame in frames(response):
                seen.append(frame)
                if frame.event == "thread.message.delta":
                    break
        run_id = msgspec.json.decode(seen[0].data)["id"]
        gate.opened.set()
        rest = await read(client, "GET", f"{path}/{run_id}/events", params={"after": seen[-1].id})
        assert [frame.event for frame in rest][-2:] == ["thread.run.completed", "done"]


async def test_submitted_outputs_are_answered_with_the_following_events(tmp_path: Path) -> None:
    script: list[Turn] = [[call("now")], "It is noon."]
    async with engine(tmp_path, script) as application, served(application) as client:
        path, body = await start(client, stream=True, tools=[{"type": "function", "function": {"name": "now"}}])
        first = await read(client, "POST", path, json=body)
        assert [frame.event for frame in first][-2:] == ["thread.run.requires_action", "done"]
        run = msgspec.json.decode(first[-2].data)
        (asked,) = run["required_action"]["submit_tool_outputs"]["tool_calls"]
        outputs = [{"tool_call_id": asked["id"], "output": "12:00"}]
        rest = await read(
            client, "POST", f"{path}/{run['id']}/submit_tool_outputs", json={"tool_outputs": outputs, "stream": True}
        )
    assert [frame.event for frame in rest][:2] == ["thread.run.step.completed", "thread.run.queued"]
    assert text_of(rest) == "It is noon."


async def test_a_draining_server_ends_open_streams(tmp_path: Path) -> None:
    gate = Gate()
    async with engine(tmp_path, [[say("Hello"), gate]]) as application, served(application) as client:
        path, body = await start(client, stream=True)
        async with asyncio.timeout(BOUND), client.stream("POST", path, json=body) as response:
            names = []
            async for frame in frames(response):
                names.append(frame.event)
                if frame.event == "thread.message.delta":
                    application.draining.set()
    assert names[-1] == "thread.message.delta"
