"""Python functions as tools: what the model is told of them, and what it is told back. No IO.

Whatever goes wrong in a call becomes an output that the model can read, `{"error": "…"}`: it can mend its arguments or
do without, where an exception would end the run.
"""

import inspect
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from runstead.client.docstrings import described
from runstead.client.function_schema import Arguments, arguments_of, schema_of
from runstead.wire.tool import Function, FunctionTool, RequiredFunctionCall
from runstead.wire.tool import Tool as WireTool

__all__ = ["Tool", "ToolFunction", "Toolbox", "function_tool", "output_of", "problem"]

ToolFunction: TypeAlias = Callable[..., Any]
"""A function with type hints; a coroutine function too, for an async client."""

_log = logging.getLogger("runstead.client")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Tool:
    """A function that the model may call. Name and description are the function's own, unless given."""

    def __init__(self, function: ToolFunction, *, name: str | None = None, description: str | None = None) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", ""))
        if not _NAME.fullmatch(self.name):
            raise TypeError(f"A tool needs a name of letters, digits, _ and -, at most 64: {self.name!r} is none.")
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 (an object with an async __call__)
        )
        self.definition = FunctionTool(function=self._definition(description))

    def _definition(self, description: str | None) -> Function:
        try:
            self._arguments: Arguments = arguments_of(self.function, self.name)
            schema = schema_of(self._arguments)
            self._decoder = msgspec.json.Decoder(self._arguments, strict=False)
        except (NameError, TypeError) as error:
            raise TypeError(f"Tool {self.name!r}: {error}") from error
        text = description or described(inspect.getdoc(self.function))[0]
        return Function(name=self.name, description=text or UNSET, parameters=schema)

    def arguments(self, text: str) -> dict[str, Any]:
        """The arguments that the model wrote, checked. `msgspec.DecodeError` says what is wrong with them."""
        read = self._decoder.decode(text or "{}")
        given = ((name, getattr(read, name)) for name in read.__struct_fields__)
        return {name: value for name, value in given if value is not UNSET}


def function_tool(function: ToolFunction, *, name: str | None = None, description: str | None = None) -> FunctionTool:
    """A function as the wire describes it, to give an assistant or a run."""
    return Tool(function, name=name, description=description).definition


class Toolbox:
    """The tools of a run, by name."""

    def __init__(self, tools: Iterable[Tool | ToolFunction]) -> None:
        self._tools: dict[str, Tool] = {}
        for each in tools:
            tool = each if isinstance(each, Tool) else Tool(each)
            if tool.name in self._tools:
                raise TypeError(f"Two tools have the name {tool.name!r}.")
            self._tools[tool.name] = tool

    @property
    def names_of_async(self) -> list[str]:
        """The tools that only an event loop can call."""
        return [tool.name for tool in self._tools.values() if tool.is_async]

    def beside(self, others: Sequence[WireTool]) -> list[WireTool]:
        """These tools and those that an assistant has already; of two with one name, the one from here."""
        kept = [each for each in others if not (isinstance(each, FunctionTool) and each.function.name in self._tools)]
        return [*kept, *(tool.definition for tool in self._tools.values())]

    def call_of(self, call: RequiredFunctionCall) -> tuple[Tool, dict[str, Any]] | str:
        """What to call with which arguments, or the output that says why it cannot be called."""
        tool = self._tools.get(call.function.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return problem(call, f"There is no tool {call.function.name!r}. The tools are: {known}.")
        try:
            return tool, tool.arguments(call.function.arguments)
        except msgspec.DecodeError as error:
            return problem(call, f"Invalid arguments: {error}")


def problem(call: RequiredFunctionCall, text: str, error: Exception | None = None) -> str:
    """The output of a call that went wrong; noted in the log."""
    _log.warning("Tool %s (%s): %s", call.function.name, call.id, text, exc_info=error)
    return msgspec.json.encode({"error": text}).decode()


def output_of(call: RequiredFunctionCall, value: Any) -> str:
    """What a function gave back, as the model reads it: a string as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except (TypeError, ValueError, RecursionError) as error:
        return problem(call, f"The result cannot be written as JSON: {error}", error)
