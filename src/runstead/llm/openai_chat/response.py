"""The answers of chat completions servers, decoded leniently.

Fields may be missing or null, and unknown fields are ignored.
"""

from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from runstead.wire.model import Model
from runstead.wire.run import CompletionTokensDetails, PromptTokensDetails, Usage

__all__ = [
    "UNREADABLE",
    "Call",
    "CalledFunction",
    "Choice",
    "Chunk",
    "CompletionDetails",
    "Delta",
    "ErrorValue",
    "PromptDetails",
    "Tokens",
    "decode_chunk",
    "decode_models",
    "wire_usage",
]


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of decoding: no JSON, another shape, or nested too deeply."""


class CalledFunction(Struct, gc=False):
    """The function of a call. Some servers send the arguments as an object instead of its JSON text."""

    name: str | None = None
    arguments: str | dict[str, Any] | None = None


class Call(Struct, gc=False):
    """A tool call, or a part of one."""

    index: int | None = None
    id: str | None = None
    function: CalledFunction | None = None


class Delta(Struct, gc=False):
    """A part of an answer, or the whole message."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    function_call: CalledFunction | None = None


class Choice(Struct, gc=False):
    """One choice of an answer; a request asks for one. A stream has `delta`, an unstreamed answer `message`."""

    index: int | None = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None


class PromptDetails(Struct, gc=False):
    """Details of the prompt's tokens."""

    cached_tokens: int | None = None


class CompletionDetails(Struct, gc=False):
    """Details of the completion's tokens."""

    reasoning_tokens: int | None = None


class Tokens(Struct, gc=False):
    """The usage of a call, as the server counts it."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None


ErrorValue: TypeAlias = dict[str, Any] | str


class Chunk(Struct, gc=False):
    """One event of a stream, or a whole unstreamed answer."""

    choices: list[Choice] | None = None
    usage: Tokens | None = None
    error: ErrorValue | None = None


decode_chunk = msgspec.json.Decoder(Chunk).decode


def wire_usage(tokens: Tokens) -> Usage:
    """The usage as the wire type of this API."""
    prompt, completion = tokens.prompt_tokens or 0, tokens.completion_tokens or 0
    prompt_details, completion_details = tokens.prompt_tokens_details, tokens.completion_tokens_details
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=tokens.total_tokens or prompt + completion,
        prompt_token_details=PromptTokensDetails(
            cached_tokens=(prompt_details and prompt_details.cached_tokens) or 0,
        ),
        completion_tokens_details=CompletionTokensDetails(
            reasoning_tokens=(completion_details and completion_details.reasoning_tokens) or 0,
        ),
    )


_MAX_MODELS = 10_000


class _ListedModel(Struct):
    id: str
    created: int | float | None = None
    owned_by: str | None = None


class _ModelList(Struct):
    data: list[_ListedModel] | None = None


_decode_list = msgspec.json.Decoder(_ModelList).decode


def decode_models(body: bytes) -> list[Model]:
    """The models in an answer to `GET /models`, 10,000 at most. Raises one of `UNREADABLE` if it is no such list."""
    listed = _decode_list(body).data or []
    return [
        Model(id=each.id, created=int(each.created or 0), owned_by=each.owned_by or "upstream")
        for each in listed[:_MAX_MODELS]
    ]
