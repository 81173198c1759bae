"""Retries by HTTP: the headers of requests and responses."""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.api.served import called, frames
from tests.api.test_errors import failing

KEY = {"Idempotency-Key": "order 17"}
HI = {"role": "user", "content": "Hi"}


def tries(number: int | str) -> dict[str, str]:
    return {"x-stainless-retry-count": str(number)}


async def thread_of(client: httpx2.AsyncClient) -> str:
    made = await client.post("/threads", json={"messages": [HI]})
    return f"/threads/{made.json()['id']}"


async def listed(client: httpx2.AsyncClient, path: str) -> list[str]:
    return [item["id"] for item in (await client.get(path)).json()["data"]]


async def test_a_replayed_reply_is_the_first_byte_for_byte(client: httpx2.AsyncClient) -> None:
    body = {"model": "m", "metadata": {"z": "ü", "a": "\u2028"}, "temperature": 1}
    first, second, third = [await client.post("/assistants", json=body, headers=KEY) for _ in range(3)]
    assert first.status_code == second.status_code == third.status_code == 200
    assert first.content == second.content == third.content
    told = [answer.headers.get("idempotent-replayed") for answer in (first, second, third)]
    assert told == [None, "true", "true"]
    assert await listed(client, "/assistants") == [first.json()["id"]]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/threads", {"metadata": {"a": "b"}}),
        ("/threads", None),
        ("/assistants", {"model": "m"}),
        ("/threads?a=b", {}),
    ],
)
async def test_the_same_key_with_another_request_is_an_error(
    client: httpx2.AsyncClient, path: str, body: dict[str, Any] | None
) -> None:
    assert (await client.post("/threads", json={}, headers=KEY)).status_code == 200
    refused = await client.post(path, json=body, headers=KEY)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert (error["code"], error["param"]) == ("idempotency_key_reused", "Idempotency-Key")
    assert "use a new key" in error["message"]


@pytest.mark.parametrize("key", ["", "Schl\xfcssel"])
async def test_an_invalid_key_is_an_error(client: httpx2.AsyncClient, key: str) -> None:
    refused = await client.post("/threads", headers={b"Idempotency-Key": key.encode("latin-1")})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "invalid_idempotency_key")
    assert await listed(client, "/threads") == []


async def test_get_and_delete_ignore_keys(client: httpx2.AsyncClient) -> None:
    path = await thread_of(client)
    for method in ("GET", "GET", "DELETE"):
        answer = await client.request(method, path, headers=KEY)
        assert answer.status_code == 200
        assert "idempotent-replayed" not in answer.headers
    assert (await client.delete(path, headers=KEY)).status_code == 404


async def test_requests_without_key_and_retry_count_are_always_carried_out(client: httpx2.AsyncClient) -> None:
    path = await thread_of(client)
    for headers in ({}, tries("x"), tries("-1"), tries("")):
        for _ in range(2):
            await client.post(f"{path}/messages", json=HI, headers=headers)
    assert len(await listed(client, f"{path}/messages")) == 9


async def test_a_retry_by_count_gets_the_reply_of_the_last_attempt(client: httpx2.AsyncClient) -> None:
    path = f"{await thread_of(client)}/messages"
    answers = [await client.post(path, json=HI, headers=tries(number)) for number in (0, 0, 1, 2)]
    first, second, third, fourth = (answer.json()["id"] for answer in answers)
    assert first != second == third == fourth
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, None, "true", "true"]


async def test_a_retry_by_count_with_another_body_or_sender_is_carried_out(client: httpx2.AsyncClient) -> None:
    path = f"{await thread_of(client)}/messages"
    await client.post(path, json=HI, headers=tries(0))
    others = [
        await client.post(path, json=HI | {"content": "Ho"}, headers=tries(1)),
        await client.post(path, json=HI, headers=tries(1) | {"authorization": "Bearer another"}),
        await client.post(path, json=HI, headers=tries(1) | {"user-agent": "another"}),
    ]
    assert len({answer.json()["id"] for answer in others} & set(await listed(client, path))) == 3


async def test_a_key_overrides_a_retry_count(client: httpx2.AsyncClient) -> None:
    answers = [await client.post("/threads", headers=KEY | tries(0)) for _ in range(2)]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_retried_stream_replays_its_stored_events(client: httpx2.AsyncClient) -> None:
    path = f"{await thread_of(client)}/runs"
    body = {"assistant_id": (await client.post("/assistants", json={"model": "m"})).json()["id"], "stream": True}
    told, marks = [], []
    for _ in range(2):
        async with asyncio.timeout(10), client.stream("POST", path, json=body, headers=KEY) as answer:
            marks.append(answer.headers.get("idempotent-replayed"))
            told.append([frame async for frame in frames(answer)])
    assert marks == [None, "true"]
    first, second = told
    assert second == [frame for frame in first if frame.id is None or "." not in frame.id]
    assert len(await listed(client, path)) == 1


async def test_every_response_says_that_keys_are_supported(client: httpx2.AsyncClient) -> None:
    for path in ("/models", "/threads/thread_x", "/nowhere", ""):
        assert (await client.get(path)).headers["idempotency-keys"] == "86400"


@pytest.mark.parametrize(
    ("headers", "told"), [({}, "false"), (KEY, None), (tries(0), None), (tries("x"), "false")], ids=str
)
async def test_an_internal_error_forbids_a_retry_unless_it_is_recognised(
    headers: dict[str, str], told: str | None
) -> None:
    async with called(failing(RuntimeError())) as client:
        answer = await client.post("/threads", headers=headers)
    assert answer.status_code == 500
    assert answer.headers.get("x-should-retry") == told
