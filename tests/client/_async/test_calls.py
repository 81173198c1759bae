"""Every endpoint of the table has a method that sends the request which the table describes."""

import pytest

from runstead.client._async.client import AsyncClient
from runstead.wire.endpoints import ENDPOINTS
from runstead.wire.error import BadRequest
from tests.client import samples
from tests.client.endpoint_cases import CASES, STREAMING
from tests.client.wire_server import Response, Stream, WireServer, event


def test_every_call_has_a_case() -> None:
    """But for uploads and downloads, which have tests of their own."""
    of_bytes = {name for name, each in ENDPOINTS.items() if each.takes == "multipart" or each.gives == "bytes"}
    assert set(CASES) == set(ENDPOINTS) - of_bytes


@pytest.mark.parametrize("name", CASES)
async def test_every_endpoint_has_a_method_that_sends_it(client: AsyncClient, server: WireServer, name: str) -> None:
    arguments, method, target, body, reply = CASES[name]
    path = target.partition("?")[0]
    if reply is None:
        server.on(method, path, Stream.of(event("thread.run.completed", samples.run("completed"), "18")))
        assert [got.id async for got in getattr(client, name)(**arguments)] == ["18"]
    else:
        server.on(method, path, Response.of(reply))
        assert await getattr(client, name)(**arguments)
    [seen] = server.seen
    assert (seen.method, seen.target) == (method, f"/v1{target}")
    assert seen.body == b"" if body is None else seen.json == body


@pytest.mark.parametrize(
    "name", [one.streaming for one in ENDPOINTS.values() if one.streaming and one.method == "POST"]
)
async def test_a_streaming_method_sends_stream_true(client: AsyncClient, server: WireServer, name: str) -> None:
    plain, body = STREAMING[name]
    arguments, method, target, _, _ = CASES[plain]
    server.on(method, target.partition("?")[0], Stream.of(event("thread.run.completed", samples.run("completed"))))
    run = await getattr(client, name)(**arguments).final_run()
    assert run.status == "completed"
    assert server.seen[0].json == body


async def test_an_empty_id_is_refused_before_anything_is_sent(client: AsyncClient, server: WireServer) -> None:
    with pytest.raises(BadRequest, match="thread_id"):
        await client.get_thread("")
    assert not server.seen
