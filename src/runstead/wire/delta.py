"""Deltas: the increments of a message or a step in a stream.

Parts and calls are merged by `index`, contiguous from 0. A call's `id` and name are sent exactly once, because clients
concatenate strings.
"""

from typing import Any, Literal, TypeAlias

from msgspec import UNSET, UnsetType

from runstead.wire.content import ImageFile, ImageUrl
from runstead.wire.message import MessageId, Role
from runstead.wire.run_step import MessageCreation, RunStepId
from runstead.wire.struct import Object

__all__ = [
    "CodeInterpreterCallDelta",
    "CodeInterpreterDelta",
    "FileSearchCallDelta",
    "FunctionDelta",
    "FunctionToolCallDelta",
    "ImageFilePartDelta",
    "ImageUrlPartDelta",
    "MessageCreationDelta",
    "MessageDelta",
    "MessageDeltaBody",
    "PartDelta",
    "RefusalPartDelta",
    "RunStepDelta",
    "RunStepDeltaBody",
    "StepDetailsDelta",
    "TextDelta",
    "TextPartDelta",
    "ToolCallDelta",
    "ToolCallsDelta",
]


class TextDelta(Object, frozen=True, kw_only=True):
    """More text. The first delta of a part has an empty list of annotations."""

    value: str | UnsetType = UNSET
    annotations: list[dict[str, Any]] | UnsetType = UNSET


class TextPartDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="text"):
    """More of a text part."""

    index: int
    text: TextDelta | UnsetType = UNSET


class RefusalPartDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="refusal"):
    """More of a refusal."""

    index: int
    refusal: str | UnsetType = UNSET


class ImageFilePartDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="image_file"):
    """A whole part with an uploaded image."""

    index: int
    image_file: ImageFile | UnsetType = UNSET


class ImageUrlPartDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="image_url"):
    """A whole part with an image by its URL."""

    index: int
    image_url: ImageUrl | UnsetType = UNSET


PartDelta: TypeAlias = TextPartDelta | RefusalPartDelta | ImageFilePartDelta | ImageUrlPartDelta


class MessageDeltaBody(Object, frozen=True, kw_only=True):
    """The new parts of a message's content."""

    role: Role | UnsetType = UNSET
    content: list[PartDelta] | UnsetType = UNSET


class MessageDelta(Object, frozen=True, kw_only=True):
    """An increment of a message."""

    id: MessageId
    object: Literal["thread.message.delta"] = "thread.message.delta"
    delta: MessageDeltaBody


class FunctionDelta(Object, frozen=True, kw_only=True):
    """More of a called function: its name once, its arguments in pieces."""

    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET
    output: str | None | UnsetType = UNSET


class FunctionToolCallDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="function"):
    """More of a function call."""

    index: int
    id: str | UnsetType = UNSET
    function: FunctionDelta | UnsetType = UNSET


class CodeInterpreterDelta(Object, frozen=True, kw_only=True):
    """More code, or more of its output."""

    input: str | UnsetType = UNSET
    outputs: list[dict[str, Any]] | UnsetType = UNSET


class CodeInterpreterCallDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="code_interpreter"):
    """More of a code interpreter call."""

    index: int
    id: str | UnsetType = UNSET
    code_interpreter: CodeInterpreterDelta | UnsetType = UNSET


class FileSearchCallDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="file_search"):
    """A file search that has started."""

    index: int
    id: str | UnsetType = UNSET
    file_search: dict[str, Any] | UnsetType = UNSET


ToolCallDelta: TypeAlias = FunctionToolCallDelta | CodeInterpreterCallDelta | FileSearchCallDelta


class ToolCallsDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="tool_calls"):
    """More of a step's tool calls."""

    tool_calls: list[ToolCallDelta] | UnsetType = UNSET


class MessageCreationDelta(Object, frozen=True, kw_only=True, tag_field="type", tag="message_creation"):
    """The message that a step writes."""

    message_creation: MessageCreation | UnsetType = UNSET


StepDetailsDelta: TypeAlias = ToolCallsDelta | MessageCreationDelta


class RunStepDeltaBody(Object, frozen=True, kw_only=True):
    """The new details of a step."""

    step_details: StepDetailsDelta | UnsetType = UNSET


class RunStepDelta(Object, frozen=True, kw_only=True):
    """An increment of a step."""

    id: RunStepId
    object: Literal["thread.run.step.delta"] = "thread.run.step.delta"
    delta: RunStepDeltaBody
