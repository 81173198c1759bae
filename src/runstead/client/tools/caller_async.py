"""The tool calls of a round, a bounded number of them concurrent on the event loop."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runstead.client.deadline import Deadline
from runstead.client.tools.tool import MAX_CALLS_AT_ONCE, Tool, Toolbox, ToolFunction, encode_output, failed_output
from runstead.wire.error import WaitTimeout
from runstead.wire.tool import RequiredFunctionCall, ToolOutput

__all__ = ["AsyncToolCaller"]


class AsyncToolCaller:
    """Calls coroutine functions on the event loop, and plain functions in threads, which keeps the loop free.

    `MAX_CALLS_AT_ONCE` run at a time.
    """

    def __init__(self, tools: Iterable[Tool | ToolFunction]) -> None:
        self.toolbox = Toolbox(tools)

    async def call_all(self, calls: Sequence[RequiredFunctionCall], deadline: Deadline) -> list[ToolOutput]:
        """Make all calls concurrently, and return their outputs in order. `WaitTimeout` after the deadline."""
        outputs: dict[int, ToolOutput] = {}
        waiting = iter(enumerate(calls))
        try:
            async with asyncio.timeout(deadline.remaining), asyncio.TaskGroup() as group:
                for _ in range(min(len(calls), MAX_CALLS_AT_ONCE)):
                    group.create_task(self._work(waiting, outputs))
        except TimeoutError as error:
            raise WaitTimeout("The tools took too long.") from error
        return [outputs[number] for number in range(len(calls))]

    async def _work(self, waiting: Iterator[tuple[int, RequiredFunctionCall]], outputs: dict[int, ToolOutput]) -> None:
        """Make one call after the other until none waits."""
        for number, call in waiting:
            outputs[number] = await self._output(call)

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
        except asyncio.CancelledError as error:
            if _cancelled():
                raise
            return failed_output(call, error)
        except Exception as error:  # noqa: BLE001 (the model gets a tool's failure as output)
            return failed_output(call, error)
        return encode_output(call, value)


def _cancelled() -> bool:
    """Whether this task was cancelled. If not, the tool raised `CancelledError` by itself."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
