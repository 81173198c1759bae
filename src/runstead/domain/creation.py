"""New things from requests, and changed ones: what is absent, null or given becomes a whole object."""

from collections.abc import Container, Mapping
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType, structs

from runstead.domain import guards
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

__all__ = ["assistant", "content", "message", "run", "thread", "updated_assistant", "updated_thread", "value"]

T = TypeVar("T")

_AUTO: ToolChoice = "auto"

# What null, or absence at creation, stands for. Everything else is null when it is absent.
_ASSISTANT_DEFAULTS: Mapping[str, Any] = {
    "tools": [],
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
    "response_format": "auto",
}

_THREAD_DEFAULTS: Mapping[str, Any] = {"tool_resources": ToolResources(), "metadata": {}, "on_busy": UNSET}


def value(given: T | None | UnsetType, default: T) -> T:
    """What was given, or the default for an absent or null field."""
    return default if given is None or given is UNSET else given


def assistant(request: AssistantRequest, id: str, now: int) -> Assistant:
    """The assistant that a request asks for."""
    guards.check_tools(value(request.tools, []))
    guards.check_resources(value(request.tool_resources, ToolResources()))
    fields = _given(request, _ASSISTANT_DEFAULTS)
    fields["tool_resources"] = _resources(fields.get("tools", []), fields.get("tool_resources"))
    return Assistant(id=id, created_at=now, **fields)


def updated_assistant(before: Assistant, request: AssistantUpdate) -> Assistant:
    """The assistant with the given fields changed."""
    guards.check_tools(value(request.tools, []))
    guards.check_resources(value(request.tool_resources, ToolResources()))
    fields = _given(request, _ASSISTANT_DEFAULTS)
    after = structs.replace(before, **fields)
    return structs.replace(after, tool_resources=_resources(after.tools, after.tool_resources))


def thread(request: ThreadRequest, id: str, now: int) -> Thread:
    """The thread that a request asks for; its messages are made apart."""
    resources = value(request.tool_resources, ToolResources())
    guards.check_resources(resources)
    return Thread(
        id=id,
        created_at=now,
        tool_resources=resources,
        metadata=value(request.metadata, {}),
        on_busy=UNSET if request.on_busy is None else request.on_busy,
    )


def updated_thread(before: Thread, request: ThreadUpdate) -> Thread:
    """The thread with the given fields changed."""
    guards.check_resources(value(request.tool_resources, ToolResources()))
    return structs.replace(before, **_given(request, _THREAD_DEFAULTS))


def content(given: InputContent) -> Content:
    """Content as messages keep it: a string is one text part."""
    if isinstance(given, str):
        return [TextPart(text=Text(value=given))]
    return [
        part if isinstance(part, ImageFilePart | ImageUrlPart) else TextPart(text=Text(value=part.text))
        for part in given
    ]


def message(request: MessageRequest, id: str, thread_id: str, now: int) -> Message:
    """The message that a request asks for."""
    return Message(
        id=id,
        created_at=now,
        thread_id=thread_id,
        completed_at=now,
        role=request.role,
        content=content(request.content),
        attachments=value(request.attachments, []),
        metadata=value(request.metadata, {}),
    )


def run(
    request: RunRequest | ThreadRunRequest,
    of: Assistant,
    id: str,
    thread_id: str,
    now: int,
    lifetime: int,
    served: Container[str] = (),
) -> Run:
    """The run that a request asks for, queued. What the request leaves open is the assistant's, as it is now. `served`
    are the kinds of tools that the server runs itself.
    """
    if isinstance(request, ThreadRunRequest):
        guards.check_resources(value(request.tool_resources, ToolResources()))
    tools = value(request.tools, of.tools)
    guards.check_tools(tools)
    guards.check_available(tools, served)
    choice: ToolChoice = value(request.tool_choice, _AUTO)
    guards.check_choice(choice, tools)
    strategy = value(request.truncation_strategy, TruncationStrategy())
    guards.check_truncation(strategy)
    return Run(
        id=id,
        created_at=now,
        thread_id=thread_id,
        assistant_id=of.id,
        status=Status.QUEUED,
        expires_at=now + value(request.expires_after, lifetime),
        model=value(request.model, of.model),
        instructions=_instructions(request, of),
        tools=tools,
        tool_resources=of.tool_resources,
        metadata=value(request.metadata, {}),
        temperature=value(request.temperature, of.temperature),
        top_p=value(request.top_p, of.top_p),
        reasoning_effort=value(request.reasoning_effort, of.reasoning_effort),
        max_prompt_tokens=value(request.max_prompt_tokens, None),
        max_completion_tokens=value(request.max_completion_tokens, None),
        truncation_strategy=strategy,
        tool_choice=choice,
        parallel_tool_calls=value(request.parallel_tool_calls, True),
        response_format=value(request.response_format, of.response_format),
        max_total_tokens=_set(request.max_total_tokens),
        max_tool_calls=_set(request.max_tool_calls),
        max_seconds=_set(request.max_seconds),
    )


def _set(given: int | None | UnsetType) -> int | UnsetType:
    return UNSET if given is None else given


def _instructions(request: RunRequest | ThreadRunRequest, of: Assistant) -> str | None:
    instructions = value(request.instructions, of.instructions)
    more = value(request.additional_instructions, None) if isinstance(request, RunRequest) else None
    return "\n\n".join(part for part in (instructions, more) if part) or instructions


def _given(request: Struct, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a request gives, null ones as their default."""
    fields: dict[str, Any] = {}
    for name in request.__struct_fields__:
        given = getattr(request, name)
        if given is not UNSET:
            fields[name] = defaults.get(name) if given is None else given
    return fields


def _resources(tools: list[Tool], given: ToolResources | None) -> ToolResources:
    """The resources as they are echoed: a tool that is on always shows its own."""
    resources = given if given is not None else ToolResources()
    if resources.code_interpreter is UNSET and any(isinstance(tool, CodeInterpreterTool) for tool in tools):
        resources = structs.replace(resources, code_interpreter=CodeInterpreterResources())
    if resources.file_search is UNSET and any(isinstance(tool, FileSearchTool) for tool in tools):
        resources = structs.replace(resources, file_search=FileSearchResources(vector_store_ids=[]))
    return resources
