"""The calls of a round, all at once in threads."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from runstead.client.deadline import Deadline
from runstead.client.tools import Tool, Toolbox, ToolFunction, output_of, problem
from runstead.wire.error import WaitTimeout
from runstead.wire.tool import RequiredFunctionCall, ToolOutput

__all__ = ["ToolCaller"]


class ToolCaller:
    """Calls plain functions, each in a thread of its own."""

    def __init__(self, tools: Iterable[Tool | ToolFunction]) -> None:
        self.toolbox = Toolbox(tools)
        if self.toolbox.names_of_async:
            names = ", ".join(self.toolbox.names_of_async)
            raise TypeError(f"Coroutine functions need the async client: {names}.")

    def answer(self, calls: Sequence[RequiredFunctionCall], deadline: Deadline) -> list[ToolOutput]:
        """The outputs of all calls, made at the same time. `WaitTimeout` when they take too long."""
        pool = ThreadPoolExecutor(max_workers=len(calls), thread_name_prefix="runstead-tool")
        try:
            futures = [pool.submit(copy_context().run, self._output, call) for call in calls]
            if wait(futures, timeout=deadline.remaining).not_done:
                raise WaitTimeout("The tools took too long.")
        finally:
            # A thread cannot be stopped; one that is late is left to itself.
            pool.shutdown(wait=False, cancel_futures=True)
        return [future.result() for future in futures]

    def _output(self, call: RequiredFunctionCall) -> ToolOutput:
        match self.toolbox.call_of(call):
            case str() as output:
                return ToolOutput(tool_call_id=call.id, output=output)
            case tool, arguments:
                return ToolOutput(tool_call_id=call.id, output=self._run(call, tool, arguments))

    def _run(self, call: RequiredFunctionCall, tool: Tool, arguments: dict[str, Any]) -> str:
        try:
            value = tool.function(**arguments)
        except Exception as error:  # noqa: BLE001 (a tool's failure is told to the model)
            return problem(call, f"{type(error).__name__}: {error}", error)
        return output_of(call, value)
