"""Bodies of any size: within the limits of one and of all together."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from runstead.wire.thread import Thread
from tests.api.served import Stage, called, served
from tests.api.test_errors import details
from tests.support.waiting import until

HEAD = b"POST /v1/threads HTTP/1.1\r\nHost: 127.0.0.1\r\nOpenAI-Beta: assistants=v2\r\n"


async def created(request: Any) -> Thread:
    return Thread(id="thread_1", created_at=0, metadata=request.metadata)


async def test_a_large_body_is_decoded_like_a_small_one() -> None:
    body = {"metadata": {"a": "b"}, "messages": [{"role": "user", "content": "x" * 200_000}]}
    async with served(Stage(create_thread=created)) as client:
        response = await client.post("/threads", json=body)
        wrong = await client.post("/threads", json=body | {"tool_resources": 1})
    assert response.json()["metadata"] == {"a": "b"}
    assert details(wrong)["param"] == "tool_resources"


async def test_a_body_that_does_not_fit_beside_the_others_is_refused_until_it_does() -> None:
    body = b'{"metadata": {}}' + b" " * 80_000

    async with served(Stage(create_thread=created), body_limit=100_000, bodies_limit=100_000) as client:

        async def answered(status: int) -> bool:
            response = await client.post("/threads", content=body)
            if response.status_code == 503:
                assert response.headers["retry-after"] == "1"
                assert response.headers["connection"] == "close"
                assert details(response)["type"] == "server_error"
            return response.status_code == status

        assert await answered(200)
        _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(HEAD + b"Content-Length: 90000\r\n\r\n" + b" " * 80_000)
        await until(lambda: answered(503))

        async def small() -> AsyncIterator[bytes]:
            yield b'{"metadata"'
            yield b": {}}"

        assert (await client.post("/threads", content=small())).status_code == 200
        writer.close()
        await until(lambda: answered(200))


@pytest.mark.parametrize(("length", "status"), [(b"0" * 5000 + b"2", b"200"), (b"9" * 30, b"400"), (b"9" * 18, b"413")])
async def test_a_length_of_any_spelling_is_read(length: bytes, status: bytes) -> None:
    async with served(Stage(create_thread=created)) as client:
        reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
        writer.write(HEAD + b"Connection: close\r\nContent-Length: %b\r\n\r\n{}" % length)
        assert (await reader.read()).split(b" ")[1] == status
        writer.close()


async def test_a_query_with_too_many_parameters_is_refused() -> None:
    async with called(Stage()) as client:
        response = await client.get("/threads?" + "a&" * 200)
    assert response.status_code == 400
    assert details(response)["message"] == "The query of your request is too long. At most 200 parameters are read."


async def test_a_long_path_is_shortened_in_the_message() -> None:
    async with called(Stage()) as client:
        responses: list[httpx2.Response] = [await client.get("/" + "x" * 10_000), await client.put("/threads")]
    assert [response.status_code for response in responses] == [404, 405]
    assert len(responses[0].content) < 400
