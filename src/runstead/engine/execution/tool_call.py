"""One attempt at one call of a tool: under a deadline, cancelled within bounds, with an outcome whatever happens."""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from runstead.domain.chat import truncation
from runstead.domain.chat.assembly import step_delta
from runstead.domain.run.journal import Call, CallStatus, StepRow, earlier_calls
from runstead.domain.tool_resources import store_ids
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.engine.retrieval.ready import wait_for_files
from runstead.tools.port import SearchableStores, Tool, ToolError, ToolResult
from runstead.wire.delta import ToolCallDelta
from runstead.wire.event import EventName
from runstead.wire.run import Run
from runstead.wire.run_step import ToolCall
from runstead.wire.tool import Function

__all__ = ["MAX_OUTPUT", "MAX_SHOWN", "Outcome", "Session", "attempt"]

_log = logging.getLogger("runstead.tools")

MAX_OUTPUT = 100_000
"""Characters of an output that the model is given; the rest is cut off, with a note that says so."""
MAX_SHOWN = 2**20
"""Bytes of a call as its step shows it; one that would be larger is shown without its result."""
_GRACE = 5.0
"""Seconds that a cancelled tool has to clean up. Then the run continues without it."""

_abandoned: set["asyncio.Task[ToolResult]"] = set()
"""Cancelled tools that have not stopped. Nothing that they do reaches a run."""


class Outcome(NamedTuple):
    """The outcome of a call."""

    output: str
    status: CallStatus
    shown: ToolCall
    attempts: int


class Session:
    """Implements `tools.port.ToolSession`."""

    def __init__(
        self, claimed: ClaimedRun, row: StepRow, call: Call, publishing: asyncio.Lock, functions: Sequence[Function]
    ) -> None:
        self._claimed = claimed
        self._row = row
        self._place = [each.id for each in row.calls].index(call.id)
        self._functions = functions
        self._publishing = publishing
        self._closed = False
        self.project = claimed.row.project
        self.number = earlier_calls(claimed.journal.rows, call)
        self.run: Run = claimed.run
        self.attempt = call.attempts + 1
        self.key = f"{claimed.run.id}/{call.id}/{self.attempt}"

    @property
    def room(self) -> int:
        # The history gets the other half, and the calls of one turn share theirs.
        claimed, journal = self._claimed, self._claimed.journal
        window = claimed.adapters.model.window(claimed.run.model)
        free = truncation.history_limit(claimed.run, journal.rows, window, journal.messages, self._functions)
        return max(free, 0) // 2 // len(self._row.calls)

    async def vector_stores(self) -> SearchableStores:
        adapters, run = self._claimed.adapters, self.run
        thread = await self._claimed.read_store(lambda tx: tx.threads.get(self.project, run.thread_id), single=True)
        of_thread = store_ids(thread.tool_resources) if thread is not None else []
        ready = await wait_for_files(adapters, self.project, of_thread)
        return SearchableStores(list(dict.fromkeys([*store_ids(run.tool_resources), *of_thread])), ready)

    async def progress(self, *deltas: ToolCallDelta) -> None:
        if self.attempt > 1 or not deltas:
            return
        # Deltas that overtake each other would leave a gap, and followers wait behind a gap.
        async with self._publishing:
            if not self._closed:
                placed = [step_delta(self._row.id, replace(delta, index=self._place)) for delta in deltas]
                await self._claimed.emit(EventName.STEP_DELTA, placed)

    def close(self) -> None:
        """Publish nothing more."""
        self._closed = True


async def attempt(tool: Tool, call: Call, session: Session) -> Outcome:
    """Run the call once. When this is cancelled, the tool is."""
    running = asyncio.get_running_loop().create_task(tool.run(call, session), name=f"{tool.kind} {call.id}")
    try:
        await asyncio.wait([running], timeout=tool.timeout)
        in_time = running.done()
    finally:
        session.close()
        await _stop(running, session)
    try:
        if in_time or (running.done() and not running.cancelled() and running.exception() is None):
            result = running.result()
            return Outcome(_cut(result.output), "completed", _shown(tool, call, session, result), session.attempt)
        why = _timed_out(tool)
    except ToolError as error:
        why = f"The call failed: {error}"
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a tool raises is an outcome
        _log.exception("a tool failed run=%s call=%s tool=%s", session.run.id, call.id, tool.kind)
        why = f"The call failed: {type(error).__name__}."
    return Outcome(_cut(why), "failed", tool.show(call, session.run), session.attempt)


async def _stop(running: "asyncio.Task[ToolResult]", session: Session) -> None:
    if running.done():
        return
    running.cancel()
    _abandoned.add(running)
    running.add_done_callback(_forget)
    await asyncio.wait([running], timeout=_GRACE)
    if not running.done():
        _log.error(
            "a cancelled tool has not stopped within %d s: %s run=%s", _GRACE, running.get_name(), session.run.id
        )


def _forget(running: "asyncio.Task[ToolResult]") -> None:
    _abandoned.discard(running)
    if not running.cancelled():
        running.exception()  # it was seen


def _shown(tool: Tool, call: Call, session: Session, result: ToolResult) -> ToolCall:
    """The call as the result shows it, if that can be stored for this call."""
    shown = result.shown
    if (shown.id, shown.__struct_config__.tag) != (call.id, call.tool):
        raise TypeError(f"the result is shown as {shown.__struct_config__.tag} {shown.id}")
    return shown if len(msgspec.json.encode(shown)) <= MAX_SHOWN else tool.show(call, session.run)


def _cut(output: str) -> str:
    text = output.encode("utf-8", "replace").decode()
    if len(text) <= MAX_OUTPUT:
        return text
    return f"{text[:MAX_OUTPUT]}\n[The output was cut: these are the first {MAX_OUTPUT} of {len(text)} characters.]"


def _timed_out(tool: Tool) -> str:
    why = f"The call did not finish within {tool.timeout:g} seconds, and was stopped."
    return why if tool.on_interrupt == "retry" else f"{why} Its outcome is unknown: it may have had its effects."
