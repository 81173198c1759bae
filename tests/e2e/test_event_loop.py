"""No request and no stored object holds a server's event loop for more than 50 ms, so no client delays the others.

Each case of the table is a function with a client of a server. A new one is a function with the decorator `case`.
"""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import pytest

from tests.support import postgres
from tests.support.waiting import until
from tests.support.watched_server import WatchedServer, watched_server

BOUND = 0.05
"""Seconds of processor time."""

Case: TypeAlias = Callable[[httpx2.Client], None]
CASES: dict[str, Case] = {}


def case(function: Case) -> Case:
    """Add a case to the table."""
    CASES[function.__name__] = function
    return function


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedServer]:
    folder: Path = tmp_path_factory.mktemp("server")
    script = folder / "script.toml"
    script.write_text('[[answer]]\nwhen = "call it"\ncall.f = {}\n[[answer]]\nsay = "The end."\n')
    shared = {"database": postgres.server().url, "installation": postgres.place(folder)}
    store = {"data": str(folder / "data")} if request.param == "sqlite" else shared
    with watched_server(port=0, script=str(script), log_level="error", **store) as running:
        yield running


@pytest.fixture
def client(server: WatchedServer) -> Iterator[httpx2.Client]:
    headers = {"OpenAI-Beta": "assistants=v2"}
    with httpx2.Client(base_url=f"{server.url}/v1", headers=headers, timeout=30) as client:
        yield client


def answered(response: httpx2.Response, *statuses: int) -> Any:
    """The reply, which has one of these statuses."""
    assert response.status_code in (statuses or (200,)), response.text[:500]
    return response.json()


def repeated(item: bytes, times: int) -> bytes:
    return b",".join([item] * times)


def said(text: str, parts: int = 1) -> bytes:
    """A message of the user, as JSON."""
    part = json.dumps({"type": "text", "text": text}, ensure_ascii=False).encode()
    return b'{"role":"user","content":[%b]}' % repeated(part, parts)


def assistant(client: httpx2.Client, **fields: Any) -> str:
    """The id of a new assistant."""
    return str(answered(client.post("/assistants", json={"model": "m", **fields}))["id"])


def thread(client: httpx2.Client, messages: bytes = b"") -> str:
    """The id of a new thread with these messages."""
    return str(answered(client.post("/threads", content=with_messages(messages)))["id"])


def run(client: httpx2.Client, thread_id: str, **options: Any) -> None:
    """A run, to its end."""
    body = {"assistant_id": assistant(client), "stream": True, **options}
    with client.stream("POST", f"/threads/{thread_id}/runs", json=body) as response:
        assert "event: thread.run.completed" in response.read().decode()


def pages(client: httpx2.Client, path: str) -> int:
    """The number of objects of a list that is read to its end."""
    seen, page = 0, answered(client.get(path, params={"limit": 100}))
    while True:
        seen += len(page["data"])
        if not page["has_more"]:
            return seen
        page = answered(client.get(path, params={"limit": 100, "after": page["last_id"]}))


def with_function(parameters: bytes) -> bytes:
    """The body of a new assistant with a function of these parameters."""
    tool = b'{"type":"function","function":{"name":"f","parameters":%b}}' % parameters
    return b'{"model":"m","tools":[%b]}' % tool


def with_messages(messages: bytes) -> bytes:
    """The body of a new thread with these messages."""
    return b'{"messages":[%b]}' % messages


HELLO = said("Hello")
OUTPUT = b'{"tool_call_id":"a","output":"b"}'
OUTPUTS = "/threads/thread_1/runs/run_1/submit_tool_outputs"
MEGA = 1_000_000
REFUSED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "ninety_thousand_messages": ("/threads", lambda: with_messages(repeated(HELLO, 90_000))),
    "messages_of_which_the_last_is_wrong": ("/threads", lambda: with_messages(repeated(HELLO, 7_000) + b",{}")),
    "parts_of_which_the_last_is_wrong": ("/threads", lambda: with_messages(repeated(said("x", 400), 30) + b",{}")),
    "unknown_field_with_arrays": ("/threads", lambda: b'{"zzz":[%b]}' % repeated(b"[]", 2 * MEGA)),
    "unknown_field_with_objects": ("/threads", lambda: b'{"zzz":[%b]}' % repeated(b"{}", 2 * MEGA)),
    "wrong_field_before_objects": ("/threads", lambda: b'{"metadata":1,"zzz":[%b]}' % repeated(b"{}", 24_000)),
    "metadata_of_a_million": ("/threads", lambda: b'{"metadata":{%b}}' % repeated(b'"k":"v"', MEGA)),
    "metadata_of_forty_thousand": (
        "/threads", lambda: json.dumps({"metadata": {str(number): "v" for number in range(40_000)}}).encode(),
    ),
    "parameters_of_a_million": ("/assistants", lambda: with_function(b"{%b}" % repeated(b'"k":[]', MEGA))),
    "parameters_with_awkward_numbers": (
        "/assistants", lambda: with_function(b'{"a":[%b]}' % repeated(b"5e-324", 40_000)),
    ),
    "parameters_with_long_numbers": (
        "/assistants", lambda: with_function(b"{%b}" % repeated(b'"k":' + b"7" * 4000, 1900)),
    ),
    "parameters_of_two_megabytes": ("/assistants", lambda: with_function(b'{"a":"%b"}' % (b"x" * 2 * MEGA))),
    "parameters_nested_too_deeply": ("/assistants", lambda: with_function(b'{"a":' * 130 + b"1" + b"}" * 130)),
    "nested_a_million_levels": ("/assistants", lambda: b"[" * MEGA),
    "tool_outputs_of_which_the_last_is_wrong": (OUTPUTS, lambda: b'{"tool_outputs":[%b,1]}' % repeated(OUTPUT, 12_000)),
    "text_of_escapes": ("/threads", lambda: with_messages(b'{"role":"user","content":"%b"}' % (rb"\n" * 4 * MEGA))),
    "text_of_8_megabytes": ("/threads", lambda: with_messages(said("x" * 8 * MEGA))),
    "embeddings_of_tokens": ("/embeddings", lambda: b'{"model":"m","input":[%b]}' % repeated(b"[1]", 20_000)),
    "embeddings_of_eight_megabytes": ("/embeddings", lambda: b'{"model":"m","input":"%b"}' % (b"x " * 4_000_000)),
    "a_body_over_the_limit": ("/threads", lambda: b" " * 9 * MEGA),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_body_holds_the_loop_for_less_than_50_ms(
    name: str, server: WatchedServer, client: httpx2.Client
) -> None:
    path, body = REFUSED[name]
    server.longest_hold()
    answered(client.post(path, content=body()), 400, 413)
    assert server.longest_hold() < BOUND


@case
def nested_schema(client: httpx2.Client) -> None:
    depth = 120
    answered(client.post("/assistants", content=with_function(b'{"a":' * depth + b"1" + b"}" * depth)))
    pages(client, "/assistants")


@case
def assistants_with_large_schemas(client: httpx2.Client) -> None:
    for _ in range(20):
        answered(client.post("/assistants", content=with_function(b'{"a":[%b]}' % repeated(b"[]", 24_000))))
    pages(client, "/assistants")


@case
def assistants_with_awkward_numbers(client: httpx2.Client) -> None:
    numbers = [b"1.2345678901234567e-300"] * 99 + [b"7" * 300] * 2000
    for _ in range(20):
        answered(client.post("/assistants", content=with_function(b'{"a":[%b]}' % b",".join(numbers))))
    pages(client, "/assistants")


@case
def five_hundred_messages_at_once(client: httpx2.Client) -> None:
    thread_id = thread(client, repeated(said("x" * 15_000), 500))
    assert pages(client, f"/threads/{thread_id}/messages") == 500
    run(client, thread_id)


@case
def messages_of_many_parts(client: httpx2.Client) -> None:
    thread_id = thread(client, repeated(said("", 500), 30))
    assert pages(client, f"/threads/{thread_id}/messages") == 30
    run(client, thread_id)


@case
def large_messages(client: httpx2.Client) -> None:
    thread_id = thread(client)
    message = said("é" * 250_000, 4)
    for _ in range(10):
        answered(client.post(f"/threads/{thread_id}/messages", content=message))
    assert pages(client, f"/threads/{thread_id}/messages") == 10
    run(client, thread_id)


@case
def largest_image(client: httpx2.Client) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "x" * 8 * MEGA}}
    thread_id = thread(client, json.dumps({"role": "user", "content": [image]}).encode())
    assert pages(client, f"/threads/{thread_id}/messages") == 1
    run(client, thread_id)


@case
def long_thread(client: httpx2.Client) -> None:
    thread_id = thread(client)
    for _ in range(8):
        run(client, thread_id, additional_messages=[{"role": "user", "content": "Hello"}] * 500)
    assert pages(client, f"/threads/{thread_id}/messages") == 4_008
    run(client, thread_id)


@case
def longest_tool_output(client: httpx2.Client) -> None:
    function = {"type": "function", "function": {"name": "f"}}
    thread_id = thread(client, said("Call it"))
    body = {"assistant_id": assistant(client, tools=[function])}
    with client.stream("POST", f"/threads/{thread_id}/runs", json=body | {"stream": True}) as response:
        response.read()
    (waiting,) = answered(client.get(f"/threads/{thread_id}/runs"))["data"]
    path = f"/threads/{thread_id}/runs/{waiting['id']}"
    (call,) = waiting["required_action"]["submit_tool_outputs"]["tool_calls"]
    output = {"tool_call_id": call["id"], "output": "é" * 2 * 1024 * 1024}
    answered(client.post(f"{path}/submit_tool_outputs", json={"tool_outputs": [output]}))
    with client.stream("GET", f"{path}/events") as response:
        assert "event: thread.run.completed" in response.read().decode()
    assert pages(client, f"{path}/steps") == 2


@case
def large_options(client: httpx2.Client) -> None:
    function = {"type": "function", "function": {"name": "f", "description": "d" * MEGA}}
    assistant_id = assistant(client, tools=[function], instructions="é" * 255_000)
    thread_id = thread(client, HELLO)
    for _ in range(3):
        run(client, thread_id, assistant_id=assistant_id)
    assert pages(client, f"/threads/{thread_id}/runs") == 3


@case
def embeddings_of_many_texts(client: httpx2.Client) -> None:
    for encoding, count in (("float", 512), ("base64", 2048)):
        body = {"model": "m", "input": ["A short text."] * count, "encoding_format": encoding}
        assert len(answered(client.post("/embeddings", json=body))["data"]) == count


@case
def embeddings_of_a_long_text(client: httpx2.Client) -> None:
    (embedded,) = answered(client.post("/embeddings", json={"model": "m", "input": "é and more " * 5_000}))["data"]
    assert len(embedded["embedding"]) == 512


@case
def largest_searches(client: httpx2.Client) -> None:
    file = ("pump.txt", b"The pump runs at four bar.")
    uploaded = client.post("/files", files={"file": file}, data={"purpose": "assistants"})
    file_id = answered(uploaded)["id"]
    path = f"/vector_stores/{answered(client.post('/vector_stores', json={'file_ids': [file_id]}))['id']}"
    asyncio.run(until(lambda: answered(client.get(path))["status"] == "completed"))
    filters: Any = {"type": "eq", "key": "a", "value": "v" * 500}
    for _ in range(16):
        filters = {"type": "or", "filters": [filters] + [{"type": "ne", "key": "a", "value": "v" * 500}] * 99}
    for query in (["pump"], ["pump " * 2_000] * 2, ["漢字の文書" * 2_000] * 2):
        body = {"query": query, "filters": filters, "max_num_results": 50, "rewrite_query": True}
        assert len(answered(client.post(f"{path}/search", json=body))["data"]) == 1


@case
def body_in_chunks_of_a_byte(client: httpx2.Client) -> None:
    host, port = client.base_url.host, client.base_url.port
    head = b"POST /v1/threads HTTP/1.1\r\nHost: 127.0.0.1\r\nOpenAI-Beta: assistants=v2\r\nConnection: close\r\n"
    with socket.create_connection((host, port or 80)) as connection:
        connection.sendall(
            head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\n \r\n" * 200_000 + b"2\r\n{}\r\n0\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")


@case
def long_heads(client: httpx2.Client) -> None:
    answered(client.get("/threads?" + "a&" * 30_000), 400)
    answered(client.get("/threads/" + "%41" * 20_000), 400, 404)
    answered(client.get("/threads", headers=[(f"x{number}", "") for number in range(5_000)]), 200)
    answered(client.get("/threads?" + "include[]=a&" * 190), 400)


@pytest.mark.parametrize("name", CASES)
def test_the_loop_is_held_for_less_than_50_ms(name: str, server: WatchedServer, client: httpx2.Client) -> None:
    server.longest_hold()
    CASES[name](client)
    assert server.longest_hold() < BOUND
