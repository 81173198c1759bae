"""Objects that are created with nulls are those that are created without the fields."""

from typing import Any

import httpx2
import pytest

from runstead.wire.assistant import AssistantRequest
from runstead.wire.codec.introspect import fields_of
from runstead.wire.message import MessageRequest
from runstead.wire.run import RunRequest, ThreadRunRequest
from runstead.wire.struct import Request
from runstead.wire.thread import ThreadRequest

OWN = {"id", "created_at", "expires_at", "completed_at", "thread_id", "assistant_id"}
"""The fields in which two objects from one request differ."""


async def made(client: httpx2.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    reply: dict[str, Any] = response.json()
    return reply


def told(reply: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in reply.items() if name not in OWN}


@pytest.mark.parametrize(
    ("kind", "path", "required"),
    [
        (AssistantRequest, "/assistants", {"model": "gpt-4o"}),
        (ThreadRequest, "/threads", {}),
        (MessageRequest, "/threads/{thread_id}/messages", {"role": "user", "content": "Hi"}),
        (RunRequest, "/threads/{thread_id}/runs", {"assistant_id": "{assistant_id}"}),
        (ThreadRunRequest, "/threads/runs", {"assistant_id": "{assistant_id}"}),
    ],
)
async def test_creation_reads_null_as_absent(
    client: httpx2.AsyncClient, kind: type[Request], path: str, required: dict[str, Any]
) -> None:
    assistant = await made(client, "/assistants", {"model": "gpt-4o", "instructions": "Be brief."})
    body = {name: value.format(assistant_id=assistant["id"]) for name, value in required.items()}
    nulls = {name: None for name, field in fields_of(kind).items() if not field.required}
    assert nulls
    replies = []
    for sent in (body, nulls | body):
        thread = await made(client, "/threads", {})
        replies.append(told(await made(client, path.format(thread_id=thread["id"]), sent)))
    assert replies[0] == replies[1]


async def test_an_update_clears_what_may_be_null_and_keeps_the_rest(client: httpx2.AsyncClient) -> None:
    tools = [{"type": "function", "function": {"name": "f", "parameters": {}, "strict": False}}]
    fields = {"name": "a", "description": "b", "instructions": "c", "metadata": {"d": "e"}, "temperature": 0.5}
    before = await made(client, "/assistants", {"model": "gpt-4o", "tools": tools, **fields})
    path = f"/assistants/{before['id']}"
    after = await made(client, path, dict.fromkeys([*fields, "model", "tools", "top_p", "response_format"]))
    cleared: dict[str, Any] = {
        "name": None,
        "description": None,
        "instructions": None,
        "metadata": {},
        "temperature": 1.0,
    }
    assert after == before | cleared
