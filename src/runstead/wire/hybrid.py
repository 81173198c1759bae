"""The weights of the two sides of a hybrid search, which searches and the file search tool share."""

from typing import Annotated, TypeAlias

from msgspec import Meta

from runstead.wire.struct import Request

__all__ = ["HybridWeights"]

_Weight: TypeAlias = Annotated[float, Meta(ge=0, le=1_000)]


class HybridWeights(Request, frozen=True, kw_only=True):
    """How much meaning and words count. A side with weight 0 is left out."""

    embedding_weight: _Weight = 1.0
    text_weight: _Weight = 1.0
