"""The server's calls of one model turn: they run at once, and each is committed as soon as it ends.

```
asked ─────────────────────────▶ run ─▶ commit the outcome      `retry`
asked ─▶ commit that it starts ─▶ run ─▶ commit the outcome      `at_most_once`
started, by an earlier owner ──────────▶ commit "interrupted"    `at_most_once`
```
So a take-over repeats no call that has ended, and none that may not run twice.
"""

import asyncio
from time import perf_counter

from msgspec.structs import replace

from runstead.domain.chat import prompt
from runstead.domain.run import call_step
from runstead.domain.run.change import Change
from runstead.domain.run.journal import Call, StepRow
from runstead.engine.execution.claimed_run import ClaimedRun, Decide, Interrupted
from runstead.engine.execution.tool_call import Outcome, Session, attempt
from runstead.engine.execution.toolbox import Toolbox
from runstead.wire.run import Run
from runstead.wire.run_step import ToolCall, ToolCallsDetails

__all__ = ["PARALLEL_CALLS", "run_calls"]

PARALLEL_CALLS = 8
"""Calls of one turn that run at the same time; more wait for one of them to end."""

_INTERRUPTED = (
    "The server stopped while this call was running, and the call is not repeated. Its outcome is unknown: it may have "
    "had its effects wholly, in part, or not at all."
)
_NOT_SERVED = "The tool of this call is not available on this server any more."


async def run_calls(claimed: ClaimedRun, tools: Toolbox) -> None:
    """Run what the server has to run of the open step. With its last call the step is completed, or the client is asked
    for the rest. Leaving, for whatever reason, cancels the calls that run.
    """
    turn = _ToolTurn(claimed, tools)
    try:
        async with asyncio.TaskGroup() as group:
            for call in claimed.journal.unfinished:
                group.create_task(turn.run(call), name=f"{call.tool} {call.id}")
    except ExceptionGroup as failures:
        # An error of a tool is an outcome. An error of the engine is the same for all calls: the run, or the store, is
        # lost.
        interrupted = [failure for failure in failures.exceptions if isinstance(failure, Interrupted)]
        raise (interrupted or failures.exceptions)[0] from None


class _ToolTurn:
    """The open step while its calls run."""

    def __init__(self, claimed: ClaimedRun, tools: Toolbox) -> None:
        self._claimed = claimed
        self._tools = tools
        self._slots = asyncio.Semaphore(PARALLEL_CALLS)
        self._committing = asyncio.Lock()
        self._publishing = asyncio.Lock()

    async def run(self, call: Call) -> None:
        """Run one call, and commit its outcome."""
        async with self._slots:
            outcome = await self._outcome(call)
            await self._commit(lambda run: self._finished(run, call, outcome))

    async def _outcome(self, call: Call) -> Outcome:
        tool = self._tools.serving(call)
        if tool is None:
            return Outcome(_NOT_SERVED, "failed", self._shown(call), call.attempts)
        if tool.on_interrupt == "at_most_once":
            if call.status == "started":
                return Outcome(_INTERRUPTED, "interrupted", self._shown(call), call.attempts)
            await self._commit(lambda run: call_step.start(run, self._row, call.id))
        functions = prompt.functions(self._claimed.run, self._tools.offers)
        session = Session(self._claimed, self._row, call, self._publishing, functions)
        began = perf_counter()
        outcome = await attempt(tool, call, session)
        self._claimed.adapters.observer.tool_ran(self._claimed.row, tool.kind, outcome.status, perf_counter() - began)
        return outcome

    def _finished(self, run: Run, call: Call, outcome: Outcome) -> Change:
        ended = replace(call, output=outcome.output, status=outcome.status, attempts=outcome.attempts)
        return call_step.finish(run, self._row, ended, outcome.shown, self._claimed.adapters.now())

    async def _commit(self, decide: Decide) -> None:
        # One after the other: each is decided on what the one before has written.
        async with self._committing:
            await self._claimed.commit(decide)

    @property
    def _row(self) -> StepRow:
        row = self._claimed.journal.open_work.row
        if row is None:
            raise Interrupted
        return row

    def _shown(self, call: Call) -> ToolCall:
        """The call as the step shows it so far."""
        details = self._row.step.step_details
        assert isinstance(details, ToolCallsDetails)
        return next(each for each in details.tool_calls if each.id == call.id)
