"""A model call as values: the request, and the pieces of the streamed answer."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from runstead.wire.options import ReasoningEffort, ResponseFormat
from runstead.wire.run import Usage
from runstead.wire.tool import Function, ToolChoice

__all__ = [
    "CarriedPiece",
    "CitationPiece",
    "Finish",
    "FinishReason",
    "ModelRequest",
    "Piece",
    "RefusalPiece",
    "TextPiece",
    "ThinkingPiece",
    "ToolCallPiece",
    "UsagePiece",
]


class ModelRequest(Struct, frozen=True, kw_only=True):
    """A request to a model. `messages` are chat-completion messages: dicts with `role` and `content`, oldest first.

    An option that is None was not chosen, and the model's own default applies.
    """

    model: str
    messages: Sequence[dict[str, Any]]
    functions: Sequence[Function] = ()
    tool_choice: ToolChoice = "auto"
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat = "auto"
    temperature: float | None = None
    top_p: float | None = None
    reasoning_effort: ReasoningEffort | None = None
    max_completion_tokens: int | None = None
    carried: Mapping[int, Any] = {}
    """Opaque state of the run's earlier turns, by the place of the turn's message in `messages`: what the adapter
    handed over with a `CarriedPiece`. It is apart from the messages, so that no server sees it that did not give it."""
    run_id: str | UnsetType = UNSET
    """For logs, and for the upstream's tracing."""


class TextPiece(Struct, frozen=True):
    """More text of the answer."""

    text: str


class CitationPiece(Struct, frozen=True):
    """A citation in the answer: its whole marker, which is text of the message. Made of text pieces by the engine."""

    marker: str
    file_id: str


class RefusalPiece(Struct, frozen=True):
    """More of a refusal."""

    text: str


class ToolCallPiece(Struct, frozen=True):
    """More of the tool call at `index`, from 0. Its first piece has `id` and `name`; arguments are concatenated."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter"]


class Finish(Struct, frozen=True):
    """The answer ended."""

    reason: FinishReason


class UsagePiece(Struct, frozen=True):
    """The tokens that the call used. It may follow `Finish`."""

    usage: Usage


class ThinkingPiece(Struct, frozen=True):
    """Thinking that the model's server shows, as one text. It counts as written, but is not part of the message."""

    text: str


class CarriedPiece(Struct, frozen=True):
    """State of the turn that the model's server needs again in the run's next calls: reasoning text, thought
    signatures. Any JSON but null; it is stored, and read by the adapter alone. The last one of a turn counts.
    """

    state: Any


Piece: TypeAlias = (
    TextPiece | CitationPiece | RefusalPiece | ToolCallPiece | Finish | UsagePiece | ThinkingPiece | CarriedPiece
)
