"""Embeddings: texts as vectors."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from runstead.wire.options import MAX_AMOUNT, ModelName
from runstead.wire.struct import Object, Request

__all__ = ["MAX_TEXTS", "Embedding", "EmbeddingList", "EmbeddingRequest", "EmbeddingUsage"]

MAX_TEXTS = 2048

Token: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_AMOUNT)]
"""Tokens belong to one model's vocabulary. They are read so that the error can say what to send instead."""


class EmbeddingRequest(Request, frozen=True, kw_only=True):
    """Texts to embed."""

    input: str | Annotated[list[str | Token | list[Token]], Meta(min_length=1, max_length=MAX_TEXTS)]
    """One text or up to 2,048. Lists of tokens are refused."""
    model: ModelName
    """Any name: the server has one model, which the answer names."""
    encoding_format: Literal["float", "base64"] | UnsetType = UNSET
    """How vectors are sent: as numbers by default, or as the bytes of little-endian float32 in base64."""
    dimensions: Annotated[int, Meta(ge=1, le=MAX_AMOUNT)] | UnsetType = UNSET
    """Refused unless it is the dimension of the server's model."""
    user: str | UnsetType = UNSET
    """Accepted, and not read."""


class Embedding(Object, frozen=True, kw_only=True):
    """The vector of one text, of length 1."""

    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str
    """Numbers, or base64."""


class EmbeddingUsage(Object, frozen=True, kw_only=True):
    """The tokens of the texts, estimated."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Object, frozen=True, kw_only=True):
    """A vector for each text, in their order."""

    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
