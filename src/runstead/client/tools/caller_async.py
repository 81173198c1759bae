"""The tool calls of a round, concurrent on the event loop."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from runstead.client.deadline import Deadline
from runstead.client.tools.tool import Tool, Toolbox, ToolFunction, encode_output, error_output
from runstead.wire.error import WaitTimeout
from runstead.wire.tool import RequiredFunctionCall, ToolOutput

__all__ = ["AsyncToolCaller"]


class AsyncToolCaller:
    """Calls coroutine functions on the event loop, and plain functions in threads, which keeps the loop free."""

    def __init__(self, tools: Iterable[Tool | ToolFunction]) -> None:
        self.toolbox = Toolbox(tools)

    async def call_all(self, calls: Sequence[RequiredFunctionCall], deadline: Deadline) -> list[ToolOutput]:
        """Make all calls concurrently, and return their outputs in order. `WaitTimeout` after the deadline."""
        try:
            async with asyncio.timeout(deadline.remaining), asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._output(call)) for call in calls]
        except TimeoutError as error:
            raise WaitTimeout("The tools took too long.") from error
        return [task.result() for task in tasks]

    async def _output(self, call: RequiredFunctionCall) -> ToolOutput:
        match self.toolbox.resolve(call):
            case str() as output:
                return ToolOutput(tool_call_id=call.id, output=output)
            case tool, arguments:
                return ToolOutput(tool_call_id=call.id, output=await self._run(call, tool, arguments))

    async def _run(self, call: RequiredFunctionCall, tool: Tool, arguments: dict[str, Any]) -> str:
        try:
            if tool.is_async:
                value = await tool.function(**arguments)
            else:
                value = await asyncio.to_thread(tool.function, **arguments)
        except Exception as error:  # noqa: BLE001 (the model gets a tool's failure as output)
            return error_output(call, f"{type(error).__name__}: {error}", error)
        return encode_output(call, value)
