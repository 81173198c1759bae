"""Python functions as tools: their definitions for the model, and the outputs of their calls. No IO.

An error in a call becomes the output `{"error": "…"}`. The model can then correct its arguments or go on without the
tool. An exception would end the run.
"""

import inspect
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from runstead.client.http.server_text import safe_text
from runstead.client.tools.docstrings import parse_docstring
from runstead.client.tools.function_schema import Arguments, arguments_type, json_schema
from runstead.wire.codec.json_shape import ShapeError, check_shape
from runstead.wire.tool import Function, FunctionTool, RequiredFunctionCall
from runstead.wire.tool import Tool as WireTool

__all__ = ["MAX_CALLS_AT_ONCE", "Tool", "ToolFunction", "Toolbox", "encode_output", "failed_output", "function_tool"]

MAX_CALLS_AT_ONCE = 16
"""Calls of a round that run concurrently. The others wait for one of them to end."""

ToolFunction: TypeAlias = Callable[..., Any]
"""A function with type hints. The async client takes coroutine functions too."""

MAX_ARGUMENT_VALUES = 1_000_000

_log = logging.getLogger("runstead.client")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Tool:
    """A function that the model may call. Name and description default to the function's own."""

    def __init__(self, function: ToolFunction, *, name: str | None = None, description: str | None = None) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", ""))
        if not _NAME.fullmatch(self.name):
            raise TypeError(f"Invalid tool name: {self.name!r}. Expected 1 to 64 letters, digits, _ and -.")
        self.is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 (an object with an async __call__)
        )
        self.definition = FunctionTool(function=self._definition(description))

    def _definition(self, description: str | None) -> Function:
        try:
            self._arguments: Arguments = arguments_type(self.function, self.name)
            schema = json_schema(self._arguments)
            self._decoder = msgspec.json.Decoder(self._arguments, strict=False)
        except (NameError, TypeError) as error:
            raise TypeError(f"Tool {self.name!r}: {error}") from error
        text = description or parse_docstring(inspect.getdoc(self.function))[0]
        return Function(name=self.name, description=text or UNSET, parameters=schema)

    def arguments(self, text: str) -> dict[str, Any]:
        """Decode and check the arguments that the model wrote.

        `msgspec.DecodeError` if they do not fit, `ShapeError` if they are nested too deeply.
        """
        raw = text.encode() or b"{}"
        check_shape(raw, max_values=MAX_ARGUMENT_VALUES)
        read = self._decoder.decode(raw)
        given = ((name, getattr(read, name)) for name in read.__struct_fields__)
        return {name: value for name, value in given if value is not UNSET}


def function_tool(function: ToolFunction, *, name: str | None = None, description: str | None = None) -> FunctionTool:
    """The definition of a function as a tool, for the `tools` of an assistant or a run."""
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
        """The names of the coroutine functions, which only the async client can call."""
        return [tool.name for tool in self._tools.values() if tool.is_async]

    def merged_with(self, others: Sequence[WireTool]) -> list[WireTool]:
        """These tools and an assistant's `others`. Of two with the same name, the one from here."""
        kept = [each for each in others if not (isinstance(each, FunctionTool) and each.function.name in self._tools)]
        return [*kept, *(tool.definition for tool in self._tools.values())]

    def resolve(self, call: RequiredFunctionCall) -> tuple[Tool, dict[str, Any]] | str:
        """The tool and its arguments, or the error output of a call that cannot be made."""
        tool = self._tools.get(call.function.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return _error_output(
                call, f"There is no tool {safe_text(call.function.name, 64)!r}. The tools are: {known}."
            )
        try:
            return tool, tool.arguments(call.function.arguments)
        except (msgspec.DecodeError, ShapeError) as error:
            return _error_output(call, f"Invalid arguments: {error}")
        except Exception as error:  # noqa: BLE001 (a type of the caller's own refused its values)
            return _error_output(call, f"Invalid arguments: {_described(error)}", error)


def failed_output(call: RequiredFunctionCall, error: BaseException) -> str:
    """The output of a call whose function raised."""
    return _error_output(call, _described(error), error)


def _described(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 (an exception's own `__str__` may raise anything)
        return type(error).__name__


def _error_output(call: RequiredFunctionCall, text: str, error: BaseException | None = None) -> str:
    """The output of a call that failed. Logs the failure."""
    text = text.encode("utf-8", "backslashreplace").decode()
    name, id = safe_text(call.function.name, 64), safe_text(call.id, 64)
    _log.warning("Tool %s (%s): %s", name, id, safe_text(text), exc_info=error)
    return msgspec.json.encode({"error": text}).decode()


def encode_output(call: RequiredFunctionCall, value: Any) -> str:
    """The result of a function as output for the model: a string as it is, anything else as JSON."""
    try:
        if isinstance(value, str):
            value.encode()  # half of a surrogate pair cannot be sent
            return value
        return msgspec.json.encode(value, enc_hook=str).decode()
    except Exception as error:  # noqa: BLE001 (a value's own `__str__` may raise anything)
        return _error_output(call, f"The result cannot be encoded as JSON: {_described(error)}", error)
