"""Embeddings of a request: its limits, its errors, and what the embedding model's errors become."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runstead.retrieval.embeddings.openai.client import OpenAIEmbeddings
from runstead.retrieval.embeddings.openai.server import EmbeddingServer
from runstead.wire.embedding import EmbeddingRequest
from runstead.wire.error import ApiError, BadRequest, NotFound, RateLimited, ServerError
from tests.retrieval.embeddings.embedding_server import Answer, EmbeddingServerDouble, refused, serving
from tests.support.worlds import World, world


@asynccontextmanager
async def embedding(*answers: Answer, dimension: int = 32) -> AsyncIterator[tuple[World, EmbeddingServerDouble]]:
    async with serving(*answers, dimension=dimension) as server:
        settings = EmbeddingServer(url=server.url, model="words", dimensions=dimension, max_retries=0)
        async with world(embeddings=OpenAIEmbeddings(settings)) as here:
            yield here, server


def request(input: Any, **fields: Any) -> EmbeddingRequest:
    return EmbeddingRequest(model="text-embedding-3-small", input=input, **fields)


async def test_the_error_without_an_embedding_model_names_the_package() -> None:
    async with world() as here:
        with pytest.raises(NotFound, match=r"pip install 'runstead\[files\]'") as raised:
            await here.project.embeddings(request("text"))
    assert (raised.value.param, raised.value.code) == ("model", "model_not_found")


@pytest.mark.parametrize(
    ("refusal", "param", "words"),
    [
        (request([1, 2, 3]), "input", "tokens instead of text"),
        (request([[1], [2]]), "input", "tokens instead of text"),
        (request(["a", 1]), "input", "tokens instead of text"),
        (request(""), "input", "empty text"),
        (request(["a", ""]), "input", "empty text"),
        (request(["a" * 600_000] * 2), "input", "1200000 characters together, but 1000000 is the limit"),
        (request("a", dimensions=31), "dimensions", "'words' has 32 dimensions"),
    ],
)
async def test_a_request_beyond_the_rules_is_refused_before_the_model_is_asked(
    refusal: EmbeddingRequest, param: str, words: str
) -> None:
    async with embedding() as (here, server):
        with pytest.raises(BadRequest, match=words) as raised:
            await here.project.embeddings(refusal)
        assert raised.value.param == param
        assert server.requests == []


async def test_dimensions_that_are_the_models_are_accepted_and_the_user_is_ignored() -> None:
    async with embedding() as (here, server):
        made = await here.project.embeddings(request("a", dimensions=32, user="someone"))
        assert len(made.data[0].embedding) == 32
        assert made.model == "words"
        assert "user" not in server.requests[0]


async def test_numbers_are_limited_and_base64_is_not() -> None:
    async with embedding(dimension=1024) as (here, _):
        with pytest.raises(BadRequest, match="Send at most 256 texts, or ask for encoding_format 'base64'"):
            await here.project.embeddings(request(["a"] * 257))
        made = await here.project.embeddings(request(["a"] * 257, encoding_format="base64"))
        assert {type(each.embedding) for each in made.data} == {str}
        assert [each.index for each in made.data] == list(range(257))


@pytest.mark.parametrize(
    ("answer", "kind", "status"),
    [
        (refused(429, {"error": "slow down"}, {"Retry-After": "7"}), RateLimited, 429),
        (refused(500, {"error": "broken"}), ServerError, 503),
        (refused(401, {"error": "wrong key"}), ServerError, 502),
    ],
)
async def test_an_error_of_the_embedding_server_is_the_servers(
    answer: Answer, kind: type[ApiError], status: int
) -> None:
    async with embedding(answer) as (here, _):
        with pytest.raises(kind, match="The embedding server 'embeddings' answered") as raised:
            await here.project.embeddings(request("a"))
    assert raised.value.status == status
    assert getattr(raised.value, "retry_after", 7) == 7
