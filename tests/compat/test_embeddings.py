"""`client.embeddings` of the official client, which requests base64 by default."""

import math

import pytest
from openai import APIStatusError, AsyncOpenAI, OpenAI


def length(vector: list[float]) -> float:
    return math.sqrt(sum(number * number for number in vector))


def test_texts_are_embedded(client: OpenAI) -> None:
    usual = client.embeddings.create(model="text-embedding-3-small", input=["The cat sleeps.", "Die Katze schläft."])
    numbers = client.embeddings.create(
        model="text-embedding-3-small", input="The cat sleeps.", encoding_format="float", user="u", dimensions=512
    )
    assert [each.index for each in usual.data] == [0, 1]
    assert usual.object == "list"
    assert length(usual.data[0].embedding) == pytest.approx(1, abs=1e-4)
    assert usual.data[0].embedding == pytest.approx(numbers.data[0].embedding, abs=1e-5)
    assert sum(a * b for a, b in zip(*(each.embedding for each in usual.data), strict=True)) > 0.5
    assert usual.usage.total_tokens == usual.usage.prompt_tokens > 0


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"input": [[1, 2, 3]]}, "input", "tokens instead of text"),
        ({"input": []}, "input", "empty array"),
        ({"input": ["a"] * 2049}, "input", "2048"),
        ({"input": ""}, "input", "empty text"),
        ({"input": "a", "dimensions": 256}, "dimensions", "512 dimensions"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "hex"),
        ({"input": [None]}, "input[0]", "Invalid type"),
    ],
)
async def test_a_bad_request_is_refused_in_words(
    async_client: AsyncOpenAI, fields: dict[str, object], param: str, words: str
) -> None:
    with pytest.raises(APIStatusError, match=words) as raised:
        await async_client.post("/embeddings", body={"model": "m", **fields}, cast_to=object)
    assert (raised.value.status_code, raised.value.param) == (400, param)
