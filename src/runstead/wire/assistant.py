"""An assistant: a model, its instructions and its tools."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType, field

from runstead.wire.options import Instructions, ModelName, ReasoningEffort, ResponseFormat, Temperature, TopP
from runstead.wire.struct import Metadata, Object, Request, Timestamp
from runstead.wire.tool import Tool, ToolResources, Tools

__all__ = ["Assistant", "AssistantDeleted", "AssistantId", "AssistantRequest", "AssistantUpdate"]

AssistantId: TypeAlias = str
"""`asst_` and 24 letters or digits."""

Name: TypeAlias = Annotated[str, Meta(max_length=256)]
Description: TypeAlias = Annotated[str, Meta(max_length=512)]


class Assistant(Object, frozen=True, kw_only=True):
    """An assistant, as the server returns it."""

    id: AssistantId
    object: Literal["assistant"] = "assistant"
    created_at: Timestamp
    name: str | None = None
    description: str | None = None
    model: str
    instructions: str | None = None
    tools: list[Tool] = field(default_factory=list)
    tool_resources: ToolResources | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    temperature: float | None = 1.0
    top_p: float | None = 1.0
    reasoning_effort: ReasoningEffort | None = None
    response_format: ResponseFormat | None = "auto"


class AssistantRequest(Request, frozen=True, kw_only=True):
    """Creates an assistant."""

    model: ModelName
    name: Name | None | UnsetType = UNSET
    description: Description | None | UnsetType = UNSET
    instructions: Instructions | None | UnsetType = UNSET
    tools: Tools | UnsetType = UNSET
    tool_resources: ToolResources | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
    temperature: Temperature | None | UnsetType = UNSET
    top_p: TopP | None | UnsetType = UNSET
    reasoning_effort: ReasoningEffort | None | UnsetType = UNSET
    response_format: ResponseFormat | None | UnsetType = UNSET


class AssistantUpdate(Request, frozen=True, kw_only=True):
    """Updates an assistant. Absent fields keep their value; `None` clears a field."""

    model: ModelName | UnsetType = UNSET
    name: Name | None | UnsetType = UNSET
    description: Description | None | UnsetType = UNSET
    instructions: Instructions | None | UnsetType = UNSET
    tools: Tools | UnsetType = UNSET
    tool_resources: ToolResources | None | UnsetType = UNSET
    metadata: Metadata | None | UnsetType = UNSET
    temperature: Temperature | None | UnsetType = UNSET
    top_p: TopP | None | UnsetType = UNSET
    reasoning_effort: ReasoningEffort | None | UnsetType = UNSET
    response_format: ResponseFormat | None | UnsetType = UNSET


class AssistantDeleted(Object, frozen=True, kw_only=True):
    """An assistant was deleted. Its runs are not affected."""

    id: AssistantId
    object: Literal["assistant.deleted"] = "assistant.deleted"
    deleted: bool = True
