"""The calls of a round, all at once on the event loop."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from runstead.client.deadline import Deadline
from runstead.client.tools import Tool, Toolbox, ToolFunction, output_of, problem
from runstead.wire.error import WaitTimeout
from runstead.wire.tool import RequiredFunctionCall, ToolOutput

__all__ = ["AsyncToolCaller"]


class AsyncToolCaller:
    """Calls coroutine functions on the loop, and plain functions in threads, so that the loop is not held up."""

    def __init__(self, tools: Iterable[Tool | ToolFunction]) -> None:
        self.toolbox = Toolbox(tools)

    async def answer(self, calls: Sequence[RequiredFunctionCall], deadline: Deadline) -> list[ToolOutput]:
        """The outputs of all calls, made at the same time. `WaitTimeout` when they take too long."""
        try:
            async with asyncio.timeout(deadline.remaining), asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._output(call)) for call in calls]
        except TimeoutError as error:
            raise WaitTimeout("The tools took too long.") from error
        return [task.result() for task in tasks]

    async def _output(self, call: RequiredFunctionCall) -> ToolOutput:
        match self.toolbox.call_of(call):
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
        except Exception as error:  # noqa: BLE001 (a tool's failure is told to the model)
            return problem(call, f"{type(error).__name__}: {error}", error)
        return output_of(call, value)
