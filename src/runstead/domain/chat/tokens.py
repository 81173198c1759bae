"""How many tokens something takes, estimated without a tokenizer: the model's own is not known here.

Text: a token for every three bytes of UTF-8, where the bytes after a character's first count twice. That is more than
a model with a common vocabulary needs: English by 45 %, code and JSON by 15 %, Russian by 15 %, Chinese by up to 100 %.
It is too little where a vocabulary falls back to bytes: Chinese and Japanese on a small English model by 20 %, long
runs of digits and base64 by 60 %. Only the model's server is exact; its error says when a prompt is too long.

Images: a fixed number by detail, the most that a model of the GPT-4o family counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from runstead.domain.model_call import ModelRequest
from runstead.domain.run.journal import Call
from runstead.wire.content import Content, ContentPart, RefusalPart, TextPart
from runstead.wire.run import CompletionTokensDetails, Usage
from runstead.wire.tool import Function

__all__ = ["of_call", "of_function", "of_message", "of_messages", "of_states", "of_text"]

_MESSAGE = 4
"""Tokens that a chat template adds to a message, for its role and its delimiters."""
_CALL = 8
"""Tokens that a chat template adds to a function call."""
_LOW_DETAIL = 85
_HIGH_DETAIL = 85 + 8 * 170
"""A base and eight tiles, the largest that an image is cut into."""


def of_text(text: str) -> int:
    """The tokens of a text."""
    characters = len(text)
    size = characters if text.isascii() else len(text.encode("utf-8", "replace"))
    return -((characters - 2 * size) // 3)  # rounded up


def of_message(message: Mapping[str, Any]) -> int:
    """The tokens of one chat-completion message, with its parts and calls."""
    content = message.get("content") or ""
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    calls = [call["function"] for call in message.get("tool_calls", ())]
    return (
        _MESSAGE
        + sum(_of_part(part) for part in parts)
        + sum(_CALL + of_text(call["name"]) + of_text(call["arguments"]) for call in calls)
    )


def of_messages(messages: Iterable[Mapping[str, Any]]) -> int:
    """The tokens of a conversation."""
    return sum(of_message(message) for message in messages)


def of_function(function: Function) -> int:
    """The tokens of a function's description, as the model is shown it."""
    return _CALL + of_text(msgspec.json.encode(function).decode())


def of_states(states: Iterable[Any]) -> int:
    """The tokens of the state that goes back to a model's server, most of which is thinking."""
    return sum(of_text(msgspec.json.encode(state).decode()) for state in states)


def of_call(
    reported: Usage | None, request: ModelRequest, content: Content, calls: Sequence[Call], thinking: str = ""
) -> Usage:
    """The usage of a model call: what its server reports, and an estimate of each count that it reports as 0 or not at
    all, so that budgets hold.
    """
    if reported is not None and reported.prompt_tokens and reported.completion_tokens:
        return reported
    known = reported or Usage()
    thought = of_text(thinking)
    asked = known.prompt_tokens or (
        of_messages(request.messages) + of_states(request.carried.values()) + sum(map(of_function, request.functions))
    )
    wrote = known.completion_tokens or thought + _of_answer(content, calls)
    return replace(
        known,
        prompt_tokens=asked,
        completion_tokens=wrote,
        total_tokens=max(known.total_tokens, asked + wrote),
        completion_tokens_details=CompletionTokensDetails(
            reasoning_tokens=known.completion_tokens_details.reasoning_tokens or thought
        ),
    )


def _of_answer(content: Content, calls: Sequence[Call]) -> int:
    return sum(map(_of_content, content)) + sum(of_text(call.name + call.arguments) for call in calls)


def _of_content(part: ContentPart) -> int:
    match part:
        case TextPart():
            return of_text(part.text.value)
        case RefusalPart():
            return of_text(part.refusal)
        case _:
            return 0


def _of_part(part: Mapping[str, Any]) -> int:
    if part["type"] == "text":
        return of_text(part["text"])
    return _LOW_DETAIL if part["image_url"].get("detail") == "low" else _HIGH_DETAIL
