"""`wait`, `drive` and `take_up`: runs to their end, with Python functions as their tools."""

from collections.abc import Iterable

from runstead.client._async.calls import AsyncCalls
from runstead.client._async.stream import AsyncRunStream
from runstead.client._async.tool_loop import AsyncToolLoop
from runstead.client._async.wait import AsyncRunWait
from runstead.client.deadline import Deadline
from runstead.client.tools.caller_async import AsyncToolCaller
from runstead.client.tools.tool import Tool, ToolFunction
from runstead.wire.run import Run, RunRequest
from runstead.wire.thread import ThreadId

__all__ = ["AsyncDriving"]

MAX_ROUNDS = 20


class AsyncDriving(AsyncCalls):
    """The calls of the client beyond the interface.

    Tools are functions with type hints. The model reads their docstrings. The calls of a round run concurrently, plain
    functions in threads. The model gets an exception, or arguments that do not fit, as the output of its call.
    """

    async def wait(self, run: Run, timeout: float = 600.0) -> Run:
        """The run once it has ended or needs tool outputs. `WaitTimeout` after `timeout` seconds; the run goes on."""
        return await AsyncRunWait(self._transport, run, Deadline(timeout), self._sleep).until_paused()

    async def drive(
        self,
        thread_id: ThreadId,
        request: RunRequest,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MAX_ROUNDS,
    ) -> Run:
        """Create a run, call the tools that it asks for until it ends, and return it.

        The run has these tools and those of its assistant, unless the request has `tools` of its own. After
        `max_rounds` rounds of calls the run is returned while it still waits for outputs. `WaitTimeout` after `timeout`
        seconds: the run goes on, and `take_up` can continue it.
        """
        stream = self.drive_streaming(thread_id, request, tools, timeout=timeout, max_rounds=max_rounds)
        async with stream:
            return await stream.final_run()

    def drive_streaming(
        self,
        thread_id: ThreadId,
        request: RunRequest,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MAX_ROUNDS,
    ) -> AsyncRunStream:
        """As `drive`, with the events of all rounds in one stream."""
        return AsyncRunStream(self._tool_loop(tools, timeout, max_rounds).start(thread_id, request))

    async def take_up(
        self,
        run: Run,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MAX_ROUNDS,
    ) -> Run:
        """As `drive`, for an existing run: after a time-out, or after a restart of the program."""
        stream = self.take_up_streaming(run, tools, timeout=timeout, max_rounds=max_rounds)
        async with stream:
            return await stream.final_run()

    def take_up_streaming(
        self,
        run: Run,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MAX_ROUNDS,
    ) -> AsyncRunStream:
        """As `take_up`, with the events from the run's start, or only the new ones if it waits for outputs."""
        return AsyncRunStream(self._tool_loop(tools, timeout, max_rounds).take_up(run))

    def _tool_loop(self, tools: Iterable[Tool | ToolFunction], timeout: float, max_rounds: int) -> AsyncToolLoop:
        return AsyncToolLoop(self._transport, AsyncToolCaller(tools), Deadline(timeout), max_rounds, self._sleep)
