"""What a worker has in its hands: each run is carried as far as it goes, and stopped when it must not go on."""

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
from runstead.wire.error import RunsteadError, Unreachable
from runstead.wire.run import LastError, Run, Status

__all__ = ["Executor", "Taking"]

_log = logging.getLogger("runstead.worker")

_PERIOD = 1.0
"""Seconds between two looks for runs that must stop."""
_MOST = 10_000
"""How many of them one look may find."""
_LONGEST_PAUSE = 5.0
"""Seconds between tries to write down how a run ended, while the store fails."""

_ENDED = LastError(code="server_error", message="")
"""Stands for no error and no interruption."""


Taking: TypeAlias = Callable[[], Awaitable[ClaimedRun | None]]
"""Makes a run the worker's own; None if none can be had."""


class Executor:
    """Carries runs for the worker of this name."""

    def __init__(self, adapters: Adapters, name: str) -> None:
        self._adapters = adapters
        self._name = name
        self._held: dict[str, asyncio.Task[None]] = {}
        self._carried: dict[str, ClaimedRun] = {}
        self._taking = 0
        self._too_early: set[str] = set()
        """What must stop, and is still being taken."""
        self._handing_back = False
        self._patient = True

    async def take(self, taking: Taking) -> ClaimedRun | None:
        """Take a run, to carry it at once: what is heard of it meanwhile is not missed."""
        if not self._taking:
            self._too_early.clear()
        self._taking += 1
        try:
            return await taking()
        finally:
            self._taking -= 1

    async def carry(self, hold: ClaimedRun) -> None:
        """One run, from its taking to letting it go."""
        run_id = hold.run.id
        before = self._carried.get(run_id)
        if before is not None:
            # It was taken over and taken anew, by the same name: the version tells which of the two has it.
            if before.row.version > hold.row.version:
                return
            before.lose()
            self.stop(run_id)
        self._carried[run_id] = hold
        try:
            stopped = run_id in self._too_early
            self._too_early.discard(run_id)
            if stopped or self._handing_back or hold.owner != self._name:
                await self._settle(hold)
                return
            error = await self._until_interrupted(hold)
            if error is not _ENDED:
                await self._settle(hold, error)
        finally:
            if self._carried.get(run_id) is hold:
                del self._carried[run_id]

    def carries(self, run_id: str) -> bool:
        """Whether this run is in its hands."""
        return run_id in self._carried

    def hand_back(self, *, patiently: bool = True) -> None:
        """Stop everything where it is; others go on with it. Without patience, they do so even where it cannot be
        written down.
        """
        self._handing_back, self._patient = True, patiently
        for task in list(self._held.values()):
            task.cancel()

    def resume(self, name: str) -> None:
        """Go on, for the worker of this name."""
        self._name, self._handing_back = name, False

    def stop(self, run_id: str) -> None:
        """Whoever carries this run must not go on."""
        task = self._held.get(run_id)
        if task is not None:
            task.cancel()
        elif self._taking:
            self._too_early.add(run_id)

    async def hear_interrupts(self) -> None:
        """Stop what others interrupt, for ever."""
        async with self._adapters.broker.interrupts() as interrupts:
            async for run_id in interrupts:
                try:
                    await self._interrupt(run_id)
                except Exception:
                    _log.exception("looking at an interrupted run failed run=%s", run_id)

    async def look_for_stops(self) -> None:
        """Stop what was cancelled without us hearing of it, and what is overdue, for ever."""
        while True:
            await self._adapters.clock.sleep(_PERIOD)
            try:
                for run_id in await self._adapters.store.read(
                    lambda tx: tx.runs.to_stop(self._name, self._adapters.now(), _MOST)
                ):
                    self.stop(run_id)
            except Exception:
                _log.exception("looking for runs that must stop failed; trying again")

    async def _interrupt(self, run_id: str) -> None:
        if run_id not in self._held and not self._taking:
            return
        row = await self._adapters.store.read(lambda tx: tx.runs.load(run_id))
        if row is None or row.owner != self._name:
            must_stop = run_id in self._held
        else:
            must_stop = stop_signal(row.run, self._adapters.now()) is not None
        if must_stop:
            self.stop(run_id)

    async def _until_interrupted(self, hold: ClaimedRun) -> LastError | None:
        """Carry the run; `_ENDED` when it ended or paused by itself, else the error that stopped it if one did."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a run is carried in a task")
        self._held[hold.run.id] = task
        try:
            await execute(hold)
        except Interrupted:
            return None
        except asyncio.CancelledError:
            while task.uncancel():  # it may have been asked to stop more than once
                pass
            return None
        except RunsteadError as cause:
            _log.warning("a run is handed back, for the store failed: %s run=%s", cause, hold.run.id)
        except Exception as cause:
            _log.exception("a run failed for a reason nobody thought of run=%s", hold.run.id)
            return LastError(code="server_error", message=f"The server failed: {type(cause).__name__}: {cause}")
        else:
            return _ENDED
        finally:
            # From here on nobody may cancel it: what happened is written down. It may be taken anew already.
            if self._held.get(hold.run.id) is task:
                del self._held[hold.run.id]
        # The store failed: no fault of the run. It may have to try again often, but not as fast as it can.
        await self._adapters.clock.sleep(_PERIOD)
        return None

    async def _settle(self, hold: ClaimedRun, error: LastError | None = None) -> None:
        """Write down how a run ended that did not end by itself, however long the store takes."""
        pause = 0.05
        while True:
            try:
                await self._write_down(hold, error)
            except Exception as cause:
                # There may be thousands of them, and that the store is away was said.
                tell = _log.debug if isinstance(cause, Unreachable) else _log.exception
                tell("writing down how a run ended failed; trying again: %s run=%s", cause, hold.run.id)
                if not self._patient:
                    return
                await self._adapters.clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                break
        if hold.run.status is Status.QUEUED:
            await self._adapters.broker.offer(hold.run.id)

    async def _write_down(self, hold: ClaimedRun, error: LastError | None) -> None:
        try:
            await hold.reload()
            await hold.end(partial(self._ending, error), error)
        except Interrupted:
            await hold.part()

    def _ending(self, error: LastError | None, run: Run) -> Signal:
        return stop_signal(run, self._adapters.now()) or (Signal.RECOVER if error is None else Signal.FAIL)
