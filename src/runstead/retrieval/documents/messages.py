"""The messages between the server and its parser processes: frames of four bytes of length, then MessagePack.

A hostile document may write anything to the server. So each field has a bound, and errors are named from a list.
"""

import struct
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from runstead.retrieval.documents.media_types import MediaType
from runstead.retrieval.documents.port import MAX_CHARACTERS, Place
from runstead.retrieval.documents.refusal import Reason

__all__ = [
    "HEADER",
    "MAX_FRAME",
    "PLACES_PIECE",
    "Answer",
    "Done",
    "Ended",
    "Job",
    "ParseLimits",
    "Places",
    "Ready",
    "Refusal",
    "Text",
    "frame",
]

HEADER = struct.Struct(">I")
TEXT_PIECE = 1 << 18
"""Characters of text in a frame. Decoding one holds the interpreter for less than a millisecond."""
PLACES_PIECE = 2_000
MAX_DETAIL = 500
MAX_FRAME = 4 << 20
"""Bytes."""


class ParseLimits(Struct, frozen=True, kw_only=True):
    """The limits of the process that reads one document."""

    cpu_seconds: int = 60
    """Processor time."""
    wall_seconds: float = 180
    """Time, which is longer because the process has a low priority."""
    memory: int = 1 << 30
    """Bytes of address space."""


class Job(Struct, frozen=True, kw_only=True):
    """One document to read. Its file and the socket for the answer travel beside it, as descriptors."""

    suffix: str
    limits: ParseLimits


class Ready(Struct, frozen=True, kw_only=True):
    """A process is ready for its first job."""

    confined: bool
    """System calls are filtered, so that documents can reach no file and no network."""


class Ended(Struct, frozen=True, kw_only=True):
    """The process that read a document has ended."""

    status: int
    """As `wait` reports it."""
    peak_kib: Annotated[int, Meta(ge=0)]
    """Its largest resident memory."""


class Text(Struct, frozen=True, tag="text"):
    """The next part of the document's text."""

    text: Annotated[str, Meta(max_length=TEXT_PIECE)]


class Places(Struct, frozen=True, tag="places"):
    """The next places of the document."""

    places: Annotated[list[Place], Meta(max_length=PLACES_PIECE)]


class Done(Struct, frozen=True, tag="done"):
    """The document is complete."""

    media_type: MediaType
    characters: Annotated[int, Meta(ge=1, le=MAX_CHARACTERS)]


class Refusal(Struct, frozen=True, tag="refusal"):
    """The document cannot be read."""

    reason: Reason
    detail: Annotated[str, Meta(max_length=MAX_DETAIL)]
    """For the log."""


Answer: TypeAlias = Text | Places | Done | Refusal
"""A document is some `Text`, some `Places` and `Done`; or it is a `Refusal`."""

_encode = msgspec.msgpack.Encoder().encode


def frame(message: Struct) -> bytes:
    """A message as it travels."""
    body = _encode(message)
    return HEADER.pack(len(body)) + body
