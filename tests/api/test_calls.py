"""Every endpoint once, over the real engine."""

from typing import Any

import httpx2

from runstead.wire.endpoints import ENDPOINTS
from tests.api.served import frames


async def said(response: httpx2.Response) -> Any:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


async def run_to_its_end(client: httpx2.AsyncClient, thread_id: str, run_id: str) -> list[str]:
    async with client.stream("GET", f"/threads/{thread_id}/runs/{run_id}/events") as response:
        return [frame.event async for frame in frames(response)]


async def test_assistants(client: httpx2.AsyncClient) -> None:
    made = await said(await client.post("/assistants", json={"model": "m", "name": "A", "metadata": {"a": "b"}}))
    path = f"/assistants/{made['id']}"
    assert await said(await client.get(path)) == made
    changed = await said(await client.post(path, json={"name": "B"}))
    assert changed == made | {"name": "B"}
    assert (await said(await client.post(path, json={"name": None})))["name"] is None
    assert [each["id"] for each in (await said(await client.get("/assistants")))["data"]] == [made["id"]]
    gone = {"id": made["id"], "object": "assistant.deleted", "deleted": True}
    assert await said(await client.delete(path)) == gone


async def test_threads_and_messages(client: httpx2.AsyncClient) -> None:
    thread = await said(await client.post("/threads"))
    path = f"/threads/{thread['id']}"
    assert await said(await client.get(path)) == thread
    assert (await said(await client.post(path, json={"metadata": {"a": "b"}})))["metadata"] == {"a": "b"}
    assert [each["id"] for each in (await said(await client.get("/threads")))["data"]] == [thread["id"]]

    bodies = [{"role": "user", "content": text} for text in ("one", "two", "three")]
    first, *_, last = [await said(await client.post(f"{path}/messages", json=body)) for body in bodies]
    listed = await said(await client.get(f"{path}/messages", params={"order": "asc", "limit": 2}))
    assert (len(listed["data"]), listed["first_id"], listed["has_more"]) == (2, first["id"], True)
    listed = await said(await client.get(f"{path}/messages", params={"order": "asc", "after": listed["last_id"]}))
    assert (listed["data"], listed["has_more"]) == ([last], False)

    message = f"{path}/messages/{first['id']}"
    assert await said(await client.get(message)) == first
    assert (await said(await client.post(message, json={"metadata": {"a": "b"}})))["metadata"] == {"a": "b"}
    assert (await said(await client.post(message, json={})))["metadata"] == {"a": "b"}
    assert (await said(await client.post(message, json={"metadata": None})))["metadata"] == {}
    assert (await said(await client.delete(message)))["object"] == "thread.message.deleted"
    assert (await said(await client.delete(path)))["object"] == "thread.deleted"


async def test_runs_and_steps(client: httpx2.AsyncClient) -> None:
    assistant = await said(await client.post("/assistants", json={"model": "m"}))
    thread = await said(await client.post("/threads", json={"messages": [{"role": "user", "content": "Hi"}]}))
    path = f"/threads/{thread['id']}/runs"
    run = await said(await client.post(path, json={"assistant_id": assistant["id"]}))
    assert run["status"] == "queued"
    seen = await run_to_its_end(client, thread["id"], run["id"])
    assert (seen[0], seen[-2:]) == ("thread.run.created", ["thread.run.completed", "done"])

    assert (await said(await client.get(f"{path}/{run['id']}")))["status"] == "completed"
    changed = await said(await client.post(f"{path}/{run['id']}", json={"metadata": {"a": "b"}}))
    assert changed["metadata"] == {"a": "b"}
    assert [each["id"] for each in (await said(await client.get(path)))["data"]] == [run["id"]]
    (step,) = (await said(await client.get(f"{path}/{run['id']}/steps")))["data"]
    assert await said(await client.get(f"{path}/{run['id']}/steps/{step['id']}")) == step
    written = await said(await client.get(f"/threads/{thread['id']}/messages", params={"run_id": run["id"]}))
    assert [each["content"][0]["text"]["value"] for each in written["data"]] == ["Hello there!"]


async def test_a_thread_and_its_run_in_one_call(client: httpx2.AsyncClient) -> None:
    assistant = await said(await client.post("/assistants", json={"model": "m"}))
    thread = {"messages": [{"role": "user", "content": "Hi"}]}
    run = await said(await client.post("/threads/runs", json={"assistant_id": assistant["id"], "thread": thread}))
    assert (await run_to_its_end(client, run["thread_id"], run["id"]))[-1] == "done"


async def test_models(client: httpx2.AsyncClient) -> None:
    listed = await said(await client.get("/models"))
    assert [each["id"] for each in listed["data"]] == ["scripted"]
    assert (await said(await client.get("/models/scripted")))["object"] == "model"


async def test_every_endpoint_is_routed(client: httpx2.AsyncClient) -> None:
    """Made-up ids may be refused, but not as an invalid URL or method."""
    for endpoint in ENDPOINTS.values():
        path = endpoint.path.replace("{", "").replace("}", "")
        response = await client.request(endpoint.method, path, json={} if endpoint.method == "POST" else None)
        assert response.status_code != 405, endpoint.name
        assert "Invalid URL" not in response.text, endpoint.name
