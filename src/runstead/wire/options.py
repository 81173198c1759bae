"""Options of model calls, which assistants and runs share."""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from runstead.wire.struct import Name, Request

__all__ = [
    "MAX_AMOUNT",
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
MAX_AMOUNT = 2**53 - 1
"""The largest amount of a request: databases store it, even as seconds from now on, and every JSON reader keeps it."""
TokenBudget: TypeAlias = Annotated[int, Meta(ge=256, le=MAX_AMOUNT)]
"""Tokens of all model calls of a run together. The hosted service refused less than 256."""
OnBusy: TypeAlias = Literal["reject", "enqueue", "interrupt"]
"""The handling of a run or a message for a thread with an active run: refuse it, queue it behind the active run and
those queued before, or cancel the active run for it. An extension; the original API always refused."""
ReasoningEffort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class TextFormat(Request, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """Answer in plain text."""


class ObjectFormat(Request, frozen=True, kw_only=True, tag_field="type", tag="json_object"):
    """Answer with a JSON object of any form."""


class JsonSchema(Request, frozen=True, kw_only=True):
    """A named JSON schema for the answer."""

    name: Name
    description: str | UnsetType = UNSET
    schema: dict[str, Any] | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class JsonSchemaFormat(Request, frozen=True, kw_only=True, tag_field="type", tag="json_schema"):
    """Answer with JSON that conforms to a schema."""

    json_schema: JsonSchema


ResponseFormat: TypeAlias = Literal["auto"] | TextFormat | ObjectFormat | JsonSchemaFormat


class TruncationStrategy(Request, frozen=True, kw_only=True):
    """Which messages of the thread the model gets: those that fit (`auto`), or only the newest `last_messages`."""

    type: Literal["auto", "last_messages"] = "auto"
    last_messages: Annotated[int, Meta(ge=1, le=MAX_AMOUNT)] | None = None
