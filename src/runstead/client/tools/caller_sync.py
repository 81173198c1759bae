"""The tool calls of a round, concurrent in a bounded number of threads."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from runstead.client.deadline import Deadline
from runstead.client.tools.tool import MAX_CALLS_AT_ONCE, Tool, Toolbox, ToolFunction, encode_output, failed_output
from runstead.wire.error import WaitTimeout
from runstead.wire.tool import RequiredFunctionCall, ToolOutput

__all__ = ["ToolCaller"]


class ToolCaller:
    """Calls plain functions in threads, `MAX_CALLS_AT_ONCE` at a time."""

    def __init__(self, tools: Iterable[Tool | ToolFunction]) -> None:
        self.toolbox = Toolbox(tools)
        if self.toolbox.names_of_async:
            names = ", ".join(self.toolbox.names_of_async)
            raise TypeError(f"Coroutine functions need the async client: {names}.")

    def call_all(self, calls: Sequence[RequiredFunctionCall], deadline: Deadline) -> list[ToolOutput]:
        """Make all calls concurrently, and return their outputs in order. `WaitTimeout` after the deadline."""
        threads = max(1, min(len(calls), MAX_CALLS_AT_ONCE))
        pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="runstead-tool")
        try:
            futures = [pool.submit(copy_context().run, self._output, call) for call in calls]
            if wait(futures, timeout=deadline.remaining).not_done:
                raise WaitTimeout("The tools took too long.")
        finally:
            # A thread cannot be stopped. A late one runs on, and its result is dropped.
            pool.shutdown(wait=False, cancel_futures=True)
        return [future.result() for future in futures]

    def _output(self, call: RequiredFunctionCall) -> ToolOutput:
        match self.toolbox.resolve(call):
            case str() as output:
                return ToolOutput(tool_call_id=call.id, output=output)
            case tool, arguments:
                return ToolOutput(tool_call_id=call.id, output=self._run(call, tool, arguments))

    def _run(self, call: RequiredFunctionCall, tool: Tool, arguments: dict[str, Any]) -> str:
        try:
            value = tool.function(**arguments)
        except Exception as error:  # noqa: BLE001 (the model gets a tool's failure as output)
            return failed_output(call, error)
        return encode_output(call, value)
