"""The fields of a chat completions request."""

from typing import Any

from msgspec import UNSET

from runstead.domain.model_call import ModelRequest
from runstead.wire.tool import Function, NamedToolChoice, ToolChoice

__all__ = ["request_fields"]


def request_fields(request: ModelRequest) -> dict[str, Any]:
    """The body of the request, as most servers know it.

    An option has a field only if the request sets it, because many servers refuse fields that they do not know.
    """
    body: dict[str, Any] = {
        "model": request.model,
        "messages": request.messages,
        "stream": True,
        "stream_options": {"include_usage": True},
        **_tools(request),
    }
    if request.response_format != "auto":
        body["response_format"] = request.response_format
    for name in ("temperature", "top_p", "reasoning_effort"):
        if (value := getattr(request, name)) is not None:
            body[name] = value
    if request.max_completion_tokens is not None:
        body["max_tokens"] = request.max_completion_tokens
    return body


def _tools(request: ModelRequest) -> dict[str, Any]:
    # With `none` the tools are left out, because several servers ignore `tool_choice`.
    if not request.functions or request.tool_choice == "none":
        return {}
    fields: dict[str, Any] = {
        "tools": [{"type": "function", "function": _function(each)} for each in request.functions],
    }
    if request.parallel_tool_calls is not None:
        fields["parallel_tool_calls"] = request.parallel_tool_calls
    if request.tool_choice != "auto":
        fields["tool_choice"] = _tool_choice(request.tool_choice)
    return fields


def _function(function: Function) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": function.name, "parameters": function.parameters}
    if function.description:
        fields["description"] = function.description
    if function.strict:
        fields["strict"] = True
    return fields


def _tool_choice(choice: ToolChoice) -> Any:
    if not isinstance(choice, NamedToolChoice):
        return choice
    # A built-in tool is offered to the model as a function of the tool's name.
    name = choice.type if choice.function is UNSET else choice.function.name
    return {"type": "function", "function": {"name": name}}
