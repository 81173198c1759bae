"""Executes the claimed runs of a worker, and interrupts those that were cancelled, have expired or must be released."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from runstead.domain.run.deadline import stop_signal
from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.claimed_run import ClaimedRun, Interrupted
from runstead.engine.execution.execute import execute
from runstead.engine.execution.journal_cache import JournalCache
from runstead.store.port import Lane, Tx
from runstead.wire.control_characters import escape_control
from runstead.wire.error import RunsteadError
from runstead.wire.run import LastError, Run, Status
from runstead.worker.failures import log_failure

__all__ = ["Claiming", "Executor"]

_log = logging.getLogger("runstead.worker")

_POLL_PERIOD = 1.0
"""Seconds between two polls for runs that must stop."""
_STOPS_PER_POLL = 10_000
_MAX_PAUSE = 5.0
"""Seconds between attempts to record how a run was interrupted, while the store refuses it."""
_RELEASE = 3.0
"""Seconds without a released run after which a worker that stops leaves the rest to recovery."""
_RELEASE_ALL = 20.0
"""Seconds after which it does so even if runs are still being released."""

_ENDED = LastError(code="server_error", message="")
"""Stands for no error and no interruption."""


Claiming: TypeAlias = Callable[[], Awaitable[ClaimedRun | None]]
"""Claims a run; None if there is none to claim."""


class Executor:
    """Executes runs for the worker of this name."""

    def __init__(self, adapters: Adapters, name: str) -> None:
        self._adapters = adapters
        self._name = name
        self._executing: dict[str, asyncio.Task[None]] = {}
        """The runs whose task may be interrupted."""
        self._owned: dict[str, ClaimedRun] = {}
        """Those, and the interrupted ones whose end is being recorded."""
        self._paused = JournalCache()
        self._claims = 0
        self._interrupted_early: set[str] = set()
        """Runs that were interrupted while their claim was under way."""
        self._limit: asyncio.Timeout | None = None
        """Set while all runs are being released. When it expires, the rest is left to recovery."""
        self._release_until = 0.0

    def begin_claim(self) -> None:
        """A claim is under way: from here on, interrupts of runs that are not known yet are remembered."""
        if not self._claims:
            self._interrupted_early.clear()
        self._claims += 1

    def end_claim(self) -> None:
        """The claim has succeeded or failed."""
        self._claims -= 1

    async def claim(self, claiming: Claiming) -> ClaimedRun | None:
        """Claim a run, to execute it at once; no interrupt is missed in between."""
        self.begin_claim()
        try:
            return await claiming()
        finally:
            self.end_claim()

    async def execute(self, claimed: ClaimedRun) -> None:
        """Execute one run, until it ends, pauses, or is interrupted and that is recorded."""
        run_id = claimed.run.id
        before = self._owned.get(run_id)
        if before is not None:
            # The run was recovered and claimed again under the same name: the version tells which claim is newer.
            if before.row.version > claimed.row.version:
                return
            before.disown()
            self.interrupt(run_id)
        self._owned[run_id] = claimed
        try:
            interrupted = run_id in self._interrupted_early
            self._interrupted_early.discard(run_id)
            if interrupted or self._limit is not None or claimed.owner != self._name:
                await self._record_interruption(claimed)
                return
            claimed.recall(self._paused.take(run_id))
            error = await self._until_interrupted(claimed)
            if error is not _ENDED:
                await self._record_interruption(claimed, error)
            elif not claimed.run.status.terminal:
                self._paused.keep(run_id, claimed.journal)
        finally:
            if self._owned.get(run_id) is claimed:
                del self._owned[run_id]

    def executes(self, run_id: str) -> bool:
        """Whether this run is being executed, or its interruption recorded."""
        return run_id in self._owned

    async def release_all(self, limit: asyncio.Timeout) -> None:
        """Interrupt every run and queue it again, for any worker. `limit` is the timeout of the tasks that do so: it
        expires when no run could be released for a while. What is left then is for recovery.
        """
        self._limit = limit
        self._release_until = asyncio.get_running_loop().time() + _RELEASE_ALL
        self._extend_limit()
        for run_id in list(self._executing):
            await self._interrupt_in_turn(run_id)

    def rename(self, name: str) -> None:
        """Execute what is claimed from now on for the worker of this name. Runs of the name before go on until another
        worker has recovered them.
        """
        self._name = name

    def interrupt(self, run_id: str) -> None:
        """Interrupt the execution of this run."""
        task = self._executing.get(run_id)
        if task is not None:
            task.cancel()
        elif self._claims:
            self._interrupted_early.add(run_id)

    async def receive_interrupts(self) -> None:
        """Interrupt the runs that the broker names, for ever."""
        async with self._adapters.broker.interrupts() as interrupts:
            async for run_id in interrupts:
                try:
                    await self._interrupt_if_due(run_id)
                except Exception as error:
                    log_failure(_log, error, "reading an interrupted run failed run=%s", run_id)

    async def poll_for_stops(self) -> None:
        """Interrupt runs that are overdue, or were cancelled by a message that was lost, for ever."""
        while True:
            await self._adapters.clock.sleep(_POLL_PERIOD)
            try:
                await self._interrupt_due()
            except Exception as error:
                log_failure(_log, error, "polling for runs that must stop failed; trying again")

    async def _interrupt_due(self) -> None:
        """Interrupt cancelled and overdue runs, and those of former names that another worker has recovered."""
        former = {claimed.owner for claimed in self._owned.values()} - {self._name}

        async def work(tx: Tx) -> tuple[list[str], set[str]]:
            now, due, still_owned = self._adapters.now(), [], set()
            for name in (self._name, *former):
                due += await tx.runs.to_stop(name, now, _STOPS_PER_POLL)
            for name in former:
                still_owned |= set(await tx.runs.owned_by(name))
            return due, still_owned

        due, still_owned = await self._adapters.store.read(work, lane=Lane.MAINTENANCE)
        recovered = [id for id, claimed in self._owned.items() if claimed.owner in former and id not in still_owned]
        for run_id in (*due, *recovered):
            await self._interrupt_in_turn(run_id)

    async def _interrupt_in_turn(self, run_id: str) -> None:
        """Interrupt one of many runs: the loop's turn in which they all close their model calls would be long."""
        budget = self._adapters.turn_budget
        if not budget.take():
            await budget.next_turn()
        self.interrupt(run_id)

    async def _interrupt_if_due(self, run_id: str) -> None:
        if run_id not in self._executing and not self._claims:
            return
        row = await self._adapters.store.read(lambda tx: tx.runs.load(run_id), lane=Lane.CLOSING)
        claimed = self._owned.get(run_id)
        if row is None or row.owner != (self._name if claimed is None else claimed.owner):
            due = run_id in self._executing
        else:
            due = stop_signal(row.run, self._adapters.now()) is not None
        if due:
            self.interrupt(run_id)

    async def _until_interrupted(self, claimed: ClaimedRun) -> LastError | None:
        """Execute the run. `_ENDED` when it ended or paused by itself; else the error that interrupted it, if any."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a run is executed in a task")
        self._executing[claimed.run.id] = task
        self._adapters.observer.run_claimed(claimed.row)
        try:
            await execute(claimed)
        except Interrupted:
            return None
        except asyncio.CancelledError:
            while task.uncancel():  # it may have been asked to stop more than once
                pass
            return None
        except RunsteadError as cause:
            _log.warning("the store failed, so a run is released: %s run=%s", cause, claimed.run.id)
        except Exception as cause:
            _log.exception("unexpected error while executing a run run=%s", claimed.run.id)
            return LastError(
                code="server_error",
                message=escape_control(f"The server failed: {type(cause).__name__}: {cause}"),
            )
        else:
            return _ENDED
        finally:
            # From here on the task must not be cancelled: it records what happened. The run may be claimed again.
            if self._executing.get(claimed.run.id) is task:
                del self._executing[claimed.run.id]
        # The store failed, which is no fault of the run: it is tried again, but not as fast as possible.
        await self._adapters.clock.sleep(_POLL_PERIOD)
        return None

    async def _record_interruption(self, claimed: ClaimedRun, error: LastError | None = None) -> None:
        """Write how an interrupted run continues or ends, however long the store takes; while all runs are released,
        for as long as the limit allows.
        """
        if self._limit is not None and self._limit.expired():
            return
        pause = 0.05
        while True:
            try:
                await self._end(claimed, error)
            except Exception as cause:
                log_failure(_log, cause, "recording an interrupted run failed; trying again run=%s", claimed.run.id)
                await self._adapters.clock.sleep(pause)
                pause = min(pause * 2, _MAX_PAUSE)
            else:
                break
        self._extend_limit()
        if claimed.run.status is Status.QUEUED:
            await self._adapters.broker.offer(claimed.run.id)

    def _extend_limit(self) -> None:
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(min(asyncio.get_running_loop().time() + _RELEASE, self._release_until))

    async def _end(self, claimed: ClaimedRun, error: LastError | None) -> None:
        try:
            await claimed.reload()
            self._extend_limit()  # thousands of runs are read before the first of them is written
            await claimed.end(partial(self._signal, error), error)
        except Interrupted:
            await claimed.publish_missed()

    def _signal(self, error: LastError | None, run: Run) -> Signal:
        return stop_signal(run, self._adapters.now()) or (Signal.RECOVER if error is None else Signal.FAIL)
