"""Decodes a delta that has text and nothing else, which is nearly every event of a stream.

An event of this exact shape is decoded into types at once. `answer_reader` reads any other event
field by field.
"""

from typing import Literal

import msgspec
from msgspec import Raw, Struct

__all__ = ["plain_text"]


class _Delta(Struct, forbid_unknown_fields=True):
    content: str
    role: str | None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None


class _Choice(Struct, forbid_unknown_fields=True):
    delta: _Delta
    index: Literal[0] = 0
    finish_reason: None = None
    logprobs: None = None


class _Chunk(Struct, forbid_unknown_fields=True):
    choices: tuple[_Choice]
    id: Raw = Raw()
    object: Raw = Raw()
    created: Raw = Raw()
    model: Raw = Raw()
    system_fingerprint: Raw = Raw()
    service_tier: Raw = Raw()
    usage: None = None


_decode = msgspec.json.Decoder(_Chunk).decode


def plain_text(data: bytes) -> str | None:
    """The text of an event, if it is a delta with text alone; else None. Such a text has no halves of characters."""
    try:
        return _decode(data).choices[0].delta.content
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
