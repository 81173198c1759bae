"""The end of every list, for clients that read `last_id` instead of `has_more`: they ask until it is null."""

import httpx2
import pytest

from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.page import ListQuery

LISTS = [endpoint for endpoint in ENDPOINTS.values() if issubclass(endpoint.query, ListQuery)]
EMPTY: dict[str, object] = {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


@pytest.fixture
async def made(client: httpx2.AsyncClient) -> dict[str, str]:
    """The ids in the paths of lists: an ended run with its thread and a step, a webhook, and a batch of files."""
    assistant = (await client.post("/assistants", json={"model": "m", "instructions": "Greet."})).json()
    body = {"assistant_id": assistant["id"], "thread": {"messages": [{"role": "user", "content": "Hi"}]}}
    async with client.stream("POST", "/threads/runs", json=body | {"stream": True}) as response:
        await response.aread()
    thread = (await client.get("/threads")).json()["data"][0]["id"]
    run = (await client.get(f"/threads/{thread}/runs")).json()["data"][0]["id"]
    hook = (await client.post("/webhook_endpoints", json={"url": "https://example.com/hook"})).json()
    file = (await client.post("/files", files={"file": ("a.txt", b"A")}, data={"purpose": "assistants"})).json()
    store = (await client.post("/vector_stores", json={})).json()
    path = f"/vector_stores/{store['id']}/file_batches"
    batch = (await client.post(path, json={"file_ids": [file["id"]]})).json()
    ids = {"thread_id": thread, "run_id": run, "webhook_id": hook["id"]}
    return ids | {"vector_store_id": store["id"], "batch_id": batch["id"]}


@pytest.mark.parametrize("name", [endpoint.name for endpoint in LISTS])
async def test_a_list_ends_with_an_empty_page(client: httpx2.AsyncClient, made: dict[str, str], name: str) -> None:
    path = ENDPOINTS[name].path.format(**made)
    page = (await client.get(path, params={"limit": 1})).json()
    for _ in range(10):
        if page["last_id"] is None:
            break
        page = (await client.get(path, params={"limit": 1, "after": page["last_id"]})).json()
    assert page == EMPTY


async def test_an_unknown_cursor_does_not_begin_a_list_again(client: httpx2.AsyncClient, made: dict[str, str]) -> None:
    response = await client.get(f"/threads/{made['thread_id']}/messages", params={"after": "msg_" + "0" * 24})
    assert response.status_code == 404
