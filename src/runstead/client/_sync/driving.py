# Generated from src/runstead/client/_async/driving.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Runs to their end: waiting for one, and driving one with Python functions as its tools."""

from collections.abc import Iterable

from runstead.client._sync.calls import Calls
from runstead.client._sync.drive import Driver
from runstead.client._sync.stream import RunStream
from runstead.client._sync.watch import Watch
from runstead.client.calling_sync import ToolCaller
from runstead.client.deadline import Deadline
from runstead.client.tools import Tool, ToolFunction
from runstead.wire.run import Run, RunRequest
from runstead.wire.thread import ThreadId

__all__ = ["Driving"]

MOST_ROUNDS = 20


class Driving(Calls):
    """What the interface does not have, because it is made of its calls.

    Tools are functions with type hints; their docstrings are what the model reads about them. The calls of a round
    run at the same time, plain functions in threads. An exception, or arguments that do not fit, is told to the model.
    """

    def wait(self, run: Run, timeout: float = 600.0) -> Run:
        """The run when it has ended or waits for tool outputs. `WaitTimeout` if that takes longer; the run goes on."""
        return Watch(self._transport, run, Deadline(timeout), self._sleep).paused()

    def drive(
        self,
        thread_id: ThreadId,
        request: RunRequest,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MOST_ROUNDS,
    ) -> Run:
        """Create a run, call the tools that it asks for until it ends, and give it back.

        The run has these tools and those of its assistant, unless the request names `tools` itself. After `max_rounds`
        rounds of calls it is given back as it is, waiting for outputs. `WaitTimeout` after `timeout` seconds: the run
        goes on, and can be taken up again.
        """
        stream = self.drive_streaming(thread_id, request, tools, timeout=timeout, max_rounds=max_rounds)
        with stream:
            return stream.final_run()

    def drive_streaming(
        self,
        thread_id: ThreadId,
        request: RunRequest,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MOST_ROUNDS,
    ) -> RunStream:
        """As `drive`, with the events of all rounds as one stream."""
        return RunStream(self._driver(tools, timeout, max_rounds).start(thread_id, request))

    def take_up(
        self,
        run: Run,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MOST_ROUNDS,
    ) -> Run:
        """As `drive`, with a run that exists: after a time-out, or in a program that was started anew."""
        stream = self.take_up_streaming(run, tools, timeout=timeout, max_rounds=max_rounds)
        with stream:
            return stream.final_run()

    def take_up_streaming(
        self,
        run: Run,
        tools: Iterable[Tool | ToolFunction],
        *,
        timeout: float = 600.0,
        max_rounds: int = MOST_ROUNDS,
    ) -> RunStream:
        """As `take_up`, with the events from the run's start, or from now on if it waits for outputs."""
        return RunStream(self._driver(tools, timeout, max_rounds).take_up(run))

    def _driver(self, tools: Iterable[Tool | ToolFunction], timeout: float, max_rounds: int) -> Driver:
        return Driver(self._transport, ToolCaller(tools), Deadline(timeout), max_rounds, self._sleep)
