"""New and updated objects from requests: absent and null fields become their defaults."""

from collections.abc import Container, Mapping
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType, structs

from runstead.domain import guards
from runstead.domain.tool_resources import check_one_way
from runstead.wire.assistant import Assistant, AssistantRequest, AssistantUpdate
from runstead.wire.content import Content, ImageFilePart, ImageUrlPart, InputContent, Text, TextPart
from runstead.wire.message import Message, MessageRequest
from runstead.wire.options import TruncationStrategy
from runstead.wire.run import Run, RunRequest, Status, ThreadRunRequest
from runstead.wire.thread import Thread, ThreadRequest, ThreadUpdate
from runstead.wire.tool import (
    CodeInterpreterResources,
    CodeInterpreterTool,
    FileSearchResources,
    FileSearchTool,
    Tool,
    ToolChoice,
    ToolResources,
)

__all__ = ["assistant", "content", "message", "run", "thread", "updated_assistant", "updated_thread", "value_or"]

T = TypeVar("T")

_AUTO: ToolChoice = "auto"

# Values of fields that are null or absent at creation. All other fields become null.
_ASSISTANT_DEFAULTS: Mapping[str, Any] = {
    "tools": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}

_THREAD_DEFAULTS: Mapping[str, Any] = {"tool_resources": ToolResources(), "metadata": {}, "on_busy": UNSET}


def value_or(given: T | None | UnsetType, default: T) -> T:
    """The given value, or the default if the field is absent or null."""
    return default if given is None or given is UNSET else given


def assistant(request: AssistantRequest, id: str, now: int) -> Assistant:
    """The assistant that a request creates. `BadRequest` if its tools or resources do not fit."""
    _check_options(request)
    fields = _given_fields(request, _ASSISTANT_DEFAULTS)
    fields["tool_resources"] = _with_tool_resources(fields.get("tools", []), fields.get("tool_resources"))
    return Assistant(id=id, created_at=now, **fields)


def updated_assistant(before: Assistant, request: AssistantUpdate) -> Assistant:
    """The assistant with the given fields changed."""
    _check_options(request)
    fields = _given_fields(request, _ASSISTANT_DEFAULTS)
    after = structs.replace(before, **fields)
    return structs.replace(after, tool_resources=_with_tool_resources(after.tools, after.tool_resources))


def thread(request: ThreadRequest, id: str, now: int) -> Thread:
    """The thread that a request creates, without the request's messages."""
    resources = value_or(request.tool_resources, ToolResources())
    check_one_way(resources)
    guards.check_sizes(tool_resources=resources)
    return Thread(
        id=id,
        created_at=now,
        tool_resources=resources,
        metadata=value_or(request.metadata, {}),
        on_busy=UNSET if request.on_busy is None else request.on_busy,
    )


def updated_thread(before: Thread, request: ThreadUpdate) -> Thread:
    """The thread with the given fields changed."""
    check_one_way(value_or(request.tool_resources, ToolResources()))
    guards.check_sizes(tool_resources=request.tool_resources)
    return structs.replace(before, **_given_fields(request, _THREAD_DEFAULTS))


def content(given: InputContent) -> Content:
    """Content as messages have it: a string becomes one text part."""
    if isinstance(given, str):
        return [TextPart(text=Text(value=given))]
    return [
        part if isinstance(part, ImageFilePart | ImageUrlPart) else TextPart(text=Text(value=part.text))
        for part in given
    ]


def message(request: MessageRequest, id: str, thread_id: str, now: int) -> Message:
    """The message that a request creates."""
    return Message(
        id=id,
        created_at=now,
        thread_id=thread_id,
        completed_at=now,
        role=request.role,
        content=content(request.content),
        attachments=value_or(request.attachments, []),
        metadata=value_or(request.metadata, {}),
    )


def run(
    request: RunRequest | ThreadRunRequest,
    defaults: Assistant,
    id: str,
    thread_id: str,
    now: int,
    lifetime: int,
    served: Container[str] = (),
) -> Run:
    """The queued run that a request creates. Fields that the request leaves open are copied from the assistant.

    `lifetime` is in seconds, for a request without `expires_after`; `served` are the kinds of tools that the server
    runs itself. `BadRequest` if the fields do not fit together.
    """
    resources = value_or(request.tool_resources, None)
    check_one_way(resources or ToolResources())
    guards.check_sizes(
        tools=request.tools,
        tool_resources=resources,
        response_format=request.response_format,
        tool_choice=request.tool_choice,
    )
    tools = value_or(request.tools, defaults.tools)
    guards.check_tools(tools)
    guards.check_tools_available(tools, served)
    choice: ToolChoice = value_or(request.tool_choice, _AUTO)
    guards.check_tool_choice(choice, tools)
    strategy = value_or(request.truncation_strategy, TruncationStrategy())
    guards.check_truncation(strategy)
    return Run(
        id=id,
        created_at=now,
        thread_id=thread_id,
        assistant_id=defaults.id,
        status=Status.QUEUED,
        expires_at=now + value_or(request.expires_after, lifetime),
        model=value_or(request.model, defaults.model),
        instructions=_instructions(request, defaults),
        tools=tools,
        tool_resources=_over(defaults.tool_resources, resources),
        metadata=value_or(request.metadata, {}),
        temperature=value_or(request.temperature, defaults.temperature),
        top_p=value_or(request.top_p, defaults.top_p),
        reasoning_effort=value_or(request.reasoning_effort, defaults.reasoning_effort),
        max_prompt_tokens=value_or(request.max_prompt_tokens, None),
        max_completion_tokens=value_or(request.max_completion_tokens, None),
        truncation_strategy=strategy,
        tool_choice=choice,
        parallel_tool_calls=value_or(request.parallel_tool_calls, True),
        response_format=value_or(request.response_format, defaults.response_format),
        max_total_tokens=_unset_if_none(request.max_total_tokens),
        max_tool_calls=_unset_if_none(request.max_tool_calls),
        max_seconds=_unset_if_none(request.max_seconds),
    )


def _check_options(request: AssistantRequest | AssistantUpdate) -> None:
    guards.check_tools(value_or(request.tools, []))
    check_one_way(value_or(request.tool_resources, ToolResources()))
    guards.check_sizes(
        tools=request.tools, tool_resources=request.tool_resources, response_format=request.response_format
    )


def _over(defaults: ToolResources | None, given: ToolResources | None) -> ToolResources | None:
    """The resources of a run: those of its request for each tool that it names some for, and else the assistant's."""
    fields = {
        name: each
        for name in (given.__struct_fields__ if given else ())
        if (each := getattr(given, name)) is not UNSET and any(getattr(each, inner) for inner in each.__struct_fields__)
    }
    return structs.replace(defaults or ToolResources(), **fields) if fields else defaults


def _unset_if_none(given: int | None | UnsetType) -> int | UnsetType:
    return UNSET if given is None else given


def _instructions(request: RunRequest | ThreadRunRequest, defaults: Assistant) -> str | None:
    instructions = value_or(request.instructions, defaults.instructions)
    more = value_or(request.additional_instructions, None) if isinstance(request, RunRequest) else None
    return "\n\n".join(part for part in (instructions, more) if part) or instructions


def _given_fields(request: Struct, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a request has, with defaults instead of nulls."""
    fields: dict[str, Any] = {}
    for name in request.__struct_fields__:
        given = getattr(request, name)
        if given is not UNSET:
            fields[name] = defaults.get(name) if given is None else given
    return fields


def _with_tool_resources(tools: list[Tool], given: ToolResources | None) -> ToolResources:
    """The resources with those of every enabled tool, empty if none were given."""
    resources = given if given is not None else ToolResources()
    if resources.code_interpreter is UNSET and any(isinstance(tool, CodeInterpreterTool) for tool in tools):
        resources = structs.replace(resources, code_interpreter=CodeInterpreterResources())
    if resources.file_search is UNSET and any(isinstance(tool, FileSearchTool) for tool in tools):
        resources = structs.replace(resources, file_search=FileSearchResources(vector_store_ids=[]))
    return resources
