"""The language of scripts: turns, made of acts.

    script = [
        [say("Let me look."), call("get_weather", city="Oslo"), call("get_weather", city="Bergen")],
        "Sunny in both.",
    ]

A turn is the answer to one model call: an act, several acts, or a text. A script is a list of turns in the order of the
calls, or a function that receives the request and returns the turn:

    def script(request: ModelRequest) -> Turn:
        return f"You asked {request.model}."
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from runstead.domain.model_call import (
    CarriedPiece,
    Finish,
    FinishReason,
    ModelRequest,
    RefusalPiece,
    TextPiece,
    UsagePiece,
)
from runstead.llm.port import ErrorCode
from runstead.llm.scripted.gate import Gate, Signal
from runstead.wire.run import PromptTokensDetails, Usage

__all__ = [
    "Act",
    "Call",
    "Fail",
    "Gate",
    "Say",
    "Script",
    "Signal",
    "Turn",
    "Wait",
    "acts",
    "call",
    "carry",
    "fail",
    "finish",
    "limit",
    "refuse",
    "say",
    "usage",
    "wait",
    "words",
]


class Say(Struct, frozen=True):
    """Streams text or a refusal, piece by piece."""

    pieces: tuple[TextPiece | RefusalPiece, ...]


class Call(Struct, frozen=True):
    """Calls a function."""

    name: str
    arguments: str
    id: str | None = None


class Fail(Struct, frozen=True):
    """Raises a `ModelError`, after the acts before it."""

    message: str
    code: ErrorCode
    rate_limited: bool = False
    retry_after: float | None = None


class Wait(Struct, frozen=True):
    """Waits until a signal is set."""

    signal: Signal


Act: TypeAlias = Say | Call | Fail | Gate | Wait | Finish | UsagePiece | CarriedPiece
Turn: TypeAlias = str | Act | Sequence[str | Act]
Script: TypeAlias = Iterable[Turn] | Callable[[ModelRequest], Turn]


def say(*text: str) -> Say:
    """Stream a text word by word. Several texts are streamed as they are, one piece each."""
    return Say(tuple(map(TextPiece, words(text[0]) if len(text) == 1 else text)))


def refuse(text: str) -> Say:
    """Stream a refusal word by word."""
    return Say(tuple(map(RefusalPiece, words(text))))


def call(name: str, arguments: str | None = None, /, **named: Any) -> Call:
    """Call a function with named arguments, or with a text as its arguments. Calls of one turn are parallel."""
    return Call(name, msgspec.json.encode(named).decode() if arguments is None else arguments)


def fail(message: str, code: ErrorCode = "server_error") -> Fail:
    """Fail with a `ModelError`."""
    return Fail(message, code)


def limit(message: str = "Too many requests.", retry_after: float | None = None) -> Fail:
    """Fail with a rate limit that asks for a delay of `retry_after` seconds."""
    return Fail(message, "rate_limit_exceeded", rate_limited=True, retry_after=retry_after)


def wait(signal: Signal) -> Wait:
    """Wait for a signal. A `Gate` also tells the test when the model has reached it."""
    return Wait(signal)


def finish(reason: FinishReason) -> Finish:
    """End the answer with this reason."""
    return Finish(reason)


def usage(prompt: int, completion: int, cached: int = 0) -> UsagePiece:
    """Report these numbers of tokens, instead of counting words."""
    details = PromptTokensDetails(cached_tokens=cached)
    total = prompt + completion
    return UsagePiece(
        Usage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=total, prompt_token_details=details)
    )


def carry(state: Any) -> CarriedPiece:
    """Return state of the turn that the run's next requests must contain."""
    return CarriedPiece(state)


def words(text: str) -> list[str]:
    """The text in pieces of one word, each with the space before it, as models stream it."""
    return re.findall(r"\s*\S+(?:\s+$)?|\s+", text)


def acts(turn: Turn) -> list[Act]:
    """The acts of a turn."""
    if isinstance(turn, str):
        return [say(turn)]
    if isinstance(turn, Sequence):
        return [act for part in turn for act in acts(part)]
    return [turn]
