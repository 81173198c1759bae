"""`connect_async`: the URL, the API key and the headers of a client."""

import pytest

from runstead.client import connect_async
from tests.client import samples
from tests.client.samples import THREAD_ID
from tests.client.wire_server import Response, WireServer


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
async def test_the_url_may_end_in_v1_or_not(server: WireServer, path: str) -> None:
    server.on("GET", f"/threads/{THREAD_ID}", Response.of(samples.thread()))
    async with connect_async(server.url + path) as client:
        assert (await client.get_thread(THREAD_ID)).id == THREAD_ID


async def test_the_url_defaults_to_the_environment(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNSTEAD_URL", server.url)
    server.on("GET", f"/threads/{THREAD_ID}", Response.of(samples.thread()))
    async with connect_async() as client:
        assert (await client.get_thread(THREAD_ID)).id == THREAD_ID


async def test_the_url_defaults_to_the_local_server() -> None:
    async with connect_async() as client:
        assert "http://127.0.0.1:8642/v1" in repr(client)


@pytest.mark.parametrize(("given", "sent"), [(None, "Bearer from-outside"), ("mine", "Bearer mine"), ("", None)])
async def test_the_api_key_defaults_to_the_environment(
    server: WireServer, monkeypatch: pytest.MonkeyPatch, given: str | None, sent: str | None
) -> None:
    monkeypatch.setenv("RUNSTEAD_API_KEY", "from-outside")
    server.on("GET", f"/threads/{THREAD_ID}", Response.of(samples.thread()))
    async with connect_async(server.url, api_key=given) as client:
        await client.get_thread(THREAD_ID)
    assert server.seen[0].headers.get("authorization") == sent


async def test_the_caller_s_headers_replace_the_client_s(server: WireServer) -> None:
    server.on("GET", f"/threads/{THREAD_ID}", Response.of(samples.thread()))
    headers = {"api-key": "k", "openai-beta": "assistants=v3"}
    async with connect_async(server.url, headers=headers) as client:
        await client.get_thread(THREAD_ID)
    assert server.seen[0].headers["api-key"] == "k"
    assert server.seen[0].headers["openai-beta"] == "assistants=v3"
