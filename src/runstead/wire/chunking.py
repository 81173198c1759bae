"""How the text of a file is cut into the chunks that searches find."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from runstead.wire.struct import Object, Request

__all__ = [
    "DEFAULT_CHUNKING",
    "AutoChunking",
    "Chunking",
    "StaticChunking",
    "StaticChunkingRequest",
    "StaticSizes",
]

_Tokens: TypeAlias = Annotated[int, Meta(ge=100, le=4096)]


class StaticSizes(Request, frozen=True, kw_only=True):
    """The size of a chunk and of the part that it shares with its neighbour, in tokens as the server estimates them."""

    max_chunk_size_tokens: _Tokens
    chunk_overlap_tokens: Annotated[int, Meta(ge=0, le=2048)]
    """At most half of `max_chunk_size_tokens`."""


class AutoChunking(Request, frozen=True, kw_only=True, tag_field="type", tag="auto"):
    """The server's choice: chunks of 800 tokens that overlap by 400."""


class StaticChunkingRequest(Request, frozen=True, kw_only=True, tag_field="type", tag="static"):
    """Chunks of a given size."""

    static: StaticSizes


Chunking: TypeAlias = AutoChunking | StaticChunkingRequest
"""A chunking strategy, as a client sends it."""


class StaticChunking(Object, frozen=True, kw_only=True):
    """A chunking strategy, as the server returns it: always with its sizes."""

    type: Literal["static"] = "static"
    static: StaticSizes


DEFAULT_CHUNKING = StaticChunking(static=StaticSizes(max_chunk_size_tokens=800, chunk_overlap_tokens=400))
