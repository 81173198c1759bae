"""An embedding server that is slow, wrong, overloaded or hostile."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from runstead.model_server.endpoint import Endpoints
from runstead.model_server.retry import Backoff
from runstead.retrieval.embeddings.openai.client import OpenAIEmbeddings
from runstead.retrieval.embeddings.openai.server import EmbeddingServer
from runstead.retrieval.embeddings.port import EmbeddingError
from runstead.wire.error import RunsteadError
from tests.retrieval.embeddings.embedding_server import (
    DIMENSION,
    Answer,
    EmbeddingServerDouble,
    changed,
    refused,
    serving,
)
from tests.support.waiting import within

KEY = "sk-an-embedding-secret"


class Waits(list[float]):
    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


@asynccontextmanager
async def client(
    *answers: Answer, waits: Waits | None = None, **settings: Any
) -> AsyncIterator[tuple[OpenAIEmbeddings, EmbeddingServerDouble]]:
    async with serving(*answers) as server:
        asked = EmbeddingServer(
            **{"url": server.url, "model": "words", "key": KEY, "dimensions": DIMENSION, **settings}
        )
        sleep = Waits() if waits is None else waits
        embeddings = OpenAIEmbeddings(asked, backoff=Backoff(jitter=lambda: 1.0), sleep=sleep)
        await embeddings.start()
        try:
            yield embeddings, server
        finally:
            await embeddings.stop()


async def raw(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(body=b'{"data": [{"embedding": [' + b"0.5, " * 1_000_000 + b"1]}]}")


async def text(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(text="<html>Welcome</html>")


async def deep(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(body=b'{"data": [], "x": ' + b"[" * 100_000)


async def nan(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(text='{"data": [{"index": 0, "embedding": "AADAfw=="}]}')


async def redirect(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": "http://elsewhere.example/"})


def item(**fields: Any) -> Answer:
    return changed(lambda answer: answer["data"][0].update(fields))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (changed(lambda answer: answer["data"].pop()), "sent 0 vectors for 1 texts"),
        (changed(lambda answer: answer["data"].append(answer["data"][0])), "sent 2 vectors for 1 texts"),
        (changed(lambda answer: answer.pop("data")), "without vectors"),
        (item(index=1), "indexes are not those of 1 texts"),
        (item(index=-1), "indexes are not those of 1 texts"),
        (item(embedding=[1.0] * 31), "vectors of 31 numbers instead of 32"),
        (item(embedding=[]), "vectors of 0 numbers instead of 32"),
        (item(embedding=[1e39] * 32), "not finite"),
        (item(embedding=[None] * 32), "without vectors"),
        (item(embedding="no base64!"), "not float32 in base64"),
        (item(embedding="AAAA"), "not float32 in base64"),
        (nan, "vectors of 1 numbers instead of 32"),
        (raw, "more than"),
        (text, "without vectors"),
        (deep, "nested too deeply"),
        (redirect, "redirects to http://elsewhere.example/"),
        (changed(lambda answer: answer.update(data=None, error={"message": "Out of memory", "code": 500})), "memory"),
    ],
)
async def test_an_answer_that_is_no_vector_for_each_text_is_refused(answer: Answer, words: str) -> None:
    async with client(*[answer] * 6) as (embeddings, _):
        with pytest.raises(EmbeddingError, match=words) as raised:
            await embeddings.embed(["one text"], purpose="query")
    assert "The embedding server 'embeddings'" in raised.value.message
    assert not raised.value.rate_limited


async def test_vectors_are_put_in_order_by_their_index() -> None:
    async with client(changed(lambda answer: answer["data"].reverse())) as (embeddings, _):
        reversed_answer = await embeddings.embed(["a", "b"], purpose="query")
        assert np.array_equal(reversed_answer, await embeddings.embed(["a", "b"], purpose="query"))


async def test_batches_are_bounded_by_count_and_by_tokens() -> None:
    async with client(batch=3) as (embeddings, server):
        await embeddings.embed(["word"] * 7, purpose="document")
        assert [len(request["input"]) for request in server.requests] == [3, 3, 1]
    async with client(window=60_000) as (embeddings, server):
        await embeddings.embed(["word " * 30_000] * 3, purpose="document")
        assert [len(request["input"]) for request in server.requests] == [2, 1]


async def test_the_dimension_is_asked_for_once_and_then_checked() -> None:
    async with client(dimensions=None) as (embeddings, server):
        assert set(await asyncio.gather(embeddings.dimension(), embeddings.dimension())) == {DIMENSION}
        assert len(server.requests) == 1
        assert "dimensions" not in server.requests[0]
        server.answers.append(item(embedding=[1.0]))
        with pytest.raises(EmbeddingError, match="1 numbers instead of 32") as raised:
            await embeddings.embed(["a"], purpose="document")
        assert raised.value.permanent


async def test_configured_dimensions_are_asked_for() -> None:
    async with client() as (embeddings, server):
        assert await embeddings.dimension() == DIMENSION
        await embeddings.embed(["a"], purpose="query")
        assert [request["dimensions"] for request in server.requests] == [DIMENSION]


async def test_a_server_without_base64_is_asked_for_numbers_from_then_on() -> None:
    refusal = refused(400, {"error": {"message": "Unknown parameter: 'encoding_format'"}})
    async with client(refusal) as (embeddings, server):
        await embeddings.embed(["a"], purpose="query")
        await embeddings.embed(["b"], purpose="query")
        assert [request["encoding_format"] for request in server.requests] == ["base64", "float", "float"]


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_temporary_errors_are_retried_with_growing_pauses(status: int) -> None:
    waits = Waits()
    async with client(*[refused(status, {"error": "busy"})] * 2, waits=waits) as (embeddings, server):
        assert len(await embeddings.embed(["a"], purpose="document")) == 1
        assert len(server.requests) == 3
    assert waits == [0.5, 1.0]


async def test_a_query_is_tried_again_twice_at_most() -> None:
    async with client(*[refused(500, {"error": "broken"})] * 9) as (embeddings, server):
        with pytest.raises(EmbeddingError, match=r"500 .*broken \(3 attempts\)") as raised:
            await embeddings.embed(["a"], purpose="query")
        assert not raised.value.permanent
        assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (refused(429, {"error": {"message": "slow down"}}, {"Retry-After": "20"}), 20),
        (refused(429, {"error": {"message": "Rate limit reached. Please try again in 7.5s."}}), 7.5),
        (refused(503, {"error": {"code": "rate_limit_exceeded", "message": "slow"}}, {"Retry-After": "9"}), 9),
    ],
)
async def test_a_long_rate_limit_is_left_to_the_caller(answer: Answer, after: float) -> None:
    waits = Waits()
    async with client(*[answer] * 9, waits=waits) as (embeddings, server):
        with pytest.raises(EmbeddingError) as raised:
            await embeddings.embed(["a"], purpose="document")
    assert raised.value.rate_limited
    assert raised.value.retry_after == after
    assert not raised.value.permanent
    assert (len(server.requests), waits) == (1, [])


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (401, True), (404, True), (413, True), (422, True), (500, False)]
)
async def test_an_error_says_whether_the_same_texts_fail_again(status: int, permanent: bool) -> None:
    async with client(refused(status, {"error": {"message": "no"}}), max_retries=0) as (embeddings, server):
        with pytest.raises(EmbeddingError) as raised:
            await embeddings.embed(["a"], purpose="document")
        assert raised.value.permanent is permanent
        assert len(server.requests) == 1


async def test_an_exhausted_account_is_no_rate_limit() -> None:
    async with client(refused(429, {"error": {"code": "insufficient_quota", "message": "pay"}})) as (embeddings, _):
        with pytest.raises(EmbeddingError, match="pay") as raised:
            await embeddings.embed(["a"], purpose="document")
    assert not raised.value.rate_limited


async def test_no_secret_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    wrong = refused(500, {"error": {"message": f"Bad key {KEY} and header-secret-1"}})
    with caplog.at_level(logging.DEBUG):
        async with client(*[wrong] * 9, headers={"x-other": "header-secret-1"}) as (embeddings, server):
            with pytest.raises(EmbeddingError) as raised:
                await embeddings.embed(["a"], purpose="query")
    assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    assert server.headers[0]["x-other"] == "header-secret-1"
    assert "retry 1 of 2" in caplog.text
    assert "***" in raised.value.message
    for shown in (raised.value.message, caplog.text):
        assert KEY not in shown
        assert "header-secret-1" not in shown


async def test_a_server_that_is_away_is_tried_again() -> None:
    async with serving() as server:
        url = server.url
    waits = Waits()
    embeddings = OpenAIEmbeddings(EmbeddingServer(url=url, model="words", max_retries=1), sleep=waits)
    await embeddings.start()
    with pytest.raises(EmbeddingError, match="cannot be reached") as raised:
        await embeddings.embed(["a"], purpose="document")
    await embeddings.stop()
    assert (len(waits), raised.value.permanent) == (1, False)


async def test_a_server_that_never_answers_is_given_up() -> None:
    async def silent(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    async with client(silent, timeout=0.05, max_retries=0) as (embeddings, _), within():
        with pytest.raises(EmbeddingError, match="did not answer within"):
            await embeddings.embed(["a"], purpose="query")


async def test_a_query_does_not_wait_for_the_requests_of_documents() -> None:
    going, arrived = asyncio.Event(), asyncio.Semaphore(0)

    async def held(server: EmbeddingServerDouble, body: dict[str, Any]) -> web.StreamResponse:
        arrived.release()
        await going.wait()
        return web.json_response(server.answer(body))

    async with within(), client(*[held] * 4) as (embeddings, server), asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(embeddings.embed(["document"], purpose="document"))
        for _ in range(4):
            await arrived.acquire()
        assert len(await embeddings.embed(["query"], purpose="query")) == 1
        assert len(server.requests) == 5
        going.set()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "m"}, "give `url` or `preset`"),
        ({"url": "http://x", "model": ""}, "`model` is empty"),
        ({"url": "http://x", "model": "m", "dimensions": 0}, "`dimensions`"),
        ({"url": "http://x", "model": "m", "batch": 2049}, "`batch`"),
        ({"url": "http://x", "model": "m", "window": 1}, "`window`"),
        ({"url": "http://x", "model": "m", "timeout": 0}, "timeout"),
        ({"url": "http://x", "model": "m", "preset": "nope"}, "no preset 'nope'"),
        ({"url": "http://u:p@x", "model": "m"}, "not inside the url"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(RunsteadError, match=words) as raised:
        EmbeddingServer(**settings)
    assert str(raised.value).startswith("Embeddings '")


@pytest.mark.parametrize(
    ("settings", "tokens"),
    [
        ({"preset": "openai"}, 8191),
        ({"url": "https://api.openai.com/v1"}, 8191),
        ({"preset": "ollama"}, 512),
        ({"preset": "ollama", "window": 2048}, 2048),
    ],
)
def test_a_kind_of_server_has_a_window(settings: dict[str, Any], tokens: int) -> None:
    server = EmbeddingServer(model="m", **settings)
    assert server.tokens == tokens
    assert math.isfinite(server.timeout)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:11434", "http://127.0.0.1:11434/v1/embeddings"),
        ("http://127.0.0.1:1/v1/", "http://127.0.0.1:1/v1/embeddings"),
        ("http://127.0.0.1:1/v1/embeddings?a=b", "http://127.0.0.1:1/v1/embeddings?a=b"),
        ("http://127.0.0.1:1/{model}/v1", "http://127.0.0.1:1/a%2Fb/v1/embeddings"),
        ("https://x.openai.azure.com", "https://x.openai.azure.com/openai/v1/embeddings"),
        (
            "https://x.openai.azure.com?api-version=1",
            "https://x.openai.azure.com/openai/deployments/a%2Fb/embeddings?api-version=1",
        ),
    ],
)
def test_requests_are_posted_below_the_base_url(url: str, expected: str) -> None:
    server = EmbeddingServer(url=url, model="a/b", key=KEY)
    assert str(Endpoints(server.base_url, server.server).embeddings(server.model)) == expected
