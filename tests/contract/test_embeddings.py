"""The embedding port's contract, over the embedded model and over a server."""

import math
from collections.abc import AsyncIterator

import numpy as np
import pytest
import pytest_asyncio

from runstead.retrieval.embeddings.local.model import LocalEmbeddings
from runstead.retrieval.embeddings.openai.client import OpenAIEmbeddings
from runstead.retrieval.embeddings.openai.server import EmbeddingServer
from runstead.retrieval.embeddings.port import Embeddings
from tests.retrieval.embeddings.embedding_server import serving

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = "The harbour closes at dusk. " * 400


@pytest_asyncio.fixture(params=["local", "openai"], scope="module", loop_scope="module")
async def embeddings(request: pytest.FixtureRequest) -> AsyncIterator[Embeddings]:
    async with serving() as server:
        adapter: Embeddings = LocalEmbeddings()
        if request.param == "openai":
            adapter = OpenAIEmbeddings(EmbeddingServer(url=server.url, model="words", batch=3, window=64))
        await adapter.start()
        yield adapter
        await adapter.stop()


async def test_each_text_has_a_vector_of_length_1_in_its_place(embeddings: Embeddings) -> None:
    texts = [f"Harbour {number}" for number in range(7)] + [LONG, "", " \n", "東京の港", "naïve café", "\ud800"]
    together = await embeddings.embed(texts, purpose="document")
    assert together.shape == (len(texts), await embeddings.dimension())
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for place in (0, 6, 7, 10):
        alone = await embeddings.embed([texts[place]], purpose="query")
        assert np.allclose(alone[0], together[place], atol=1e-5)


async def test_no_text_has_no_vector(embeddings: Embeddings) -> None:
    assert (await embeddings.embed([], purpose="document")).shape == (0, await embeddings.dimension())


async def test_the_end_of_a_long_text_counts(embeddings: Embeddings) -> None:
    plain, other = await embeddings.embed([LONG, LONG + "Whales sing in deep water. " * 200], purpose="document")
    assert math.isfinite(float(plain @ other))
    assert plain @ other < 0.99


async def test_a_repeated_text_is_embedded_as_itself(embeddings: Embeddings) -> None:
    once, repeated = await embeddings.embed([LONG[:560], LONG], purpose="document")
    assert once @ repeated > 0.95


async def test_the_model_has_a_name(embeddings: Embeddings) -> None:
    assert embeddings.model
