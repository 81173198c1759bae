"""How the model shall answer: options shared by assistants and runs."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from runstead.wire.struct import Name, Request

__all__ = [
    "Instructions",
    "JsonSchema",
    "JsonSchemaFormat",
    "ModelName",
    "ObjectFormat",
    "OnBusy",
    "ReasoningEffort",
    "ResponseFormat",
    "Temperature",
    "TextFormat",
    "TokenBudget",
    "TopP",
    "TruncationStrategy",
]

ModelName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]
Instructions: TypeAlias = Annotated[str, Meta(max_length=256_000)]
Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=2)]
TopP: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
TokenBudget: TypeAlias = Annotated[int, Meta(ge=256)]
"""Tokens over all model calls of a run; the hosted service refused less than 256."""
OnBusy: TypeAlias = Literal["reject", "enqueue", "interrupt"]
"""What becomes of a run or a message for a thread whose run has not ended: it is refused, it waits for its turn, or
that run is cancelled for it. Not part of the original API, which refused."""
ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class TextFormat(Request, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Answer in plain text."""


class ObjectFormat(Request, frozen=True, kw_only=True, tag_field="type", tag="json_object"):
    """Answer with some JSON object."""


class JsonSchema(Request, frozen=True, kw_only=True):
    """A named schema that the answer must fit."""

    name: Name
    description: str | UnsetType = UNSET
    schema: dict[str, Any] | UnsetType = UNSET
    strict: bool | None | UnsetType = UNSET


class JsonSchemaFormat(Request, frozen=True, kw_only=True, tag_field="type", tag="json_schema"):
    """Answer with JSON that fits a schema."""

    json_schema: JsonSchema


ResponseFormat: TypeAlias = Literal["auto"] | TextFormat | ObjectFormat | JsonSchemaFormat


class TruncationStrategy(Request, frozen=True, kw_only=True):
    """Which messages the model sees: what fits (`auto`), or the newest `last_messages`."""

    type: Literal["auto", "last_messages"] = "auto"
    last_messages: Annotated[int, Meta(ge=1)] | None = None
