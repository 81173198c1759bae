"""The worker: takes runs that are ready and carries each as far as it goes, thousands at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from runstead.domain.deadline import stop_signal
from runstead.domain.lifecycle import Signal
from runstead.engine.execute import execute
from runstead.engine.hold import Hold, Interrupted, claim
from runstead.engine.ports import Ports
from runstead.engine.taker import Ready
from runstead.store.port import RunRow
from runstead.wire.run import LastError, Run, Status

__all__ = ["Worker"]

_log = logging.getLogger("runstead.worker")

_LOOK = 10_000
"""How many waiting runs one look in the store may find."""
_PERIOD = 1.0
"""Seconds between two looks in the store."""
_LONGEST_PAUSE = 5.0
"""Seconds between tries to write down how a run ended, while the store fails."""

_ENDED = LastError(code="server_error", message="")
"""Stands for no error and no interruption."""


Taking: TypeAlias = Callable[[], Awaitable[Hold | None]]
"""Makes a run this worker's own; None if it cannot be had."""


class Worker:
    """One worker, by a name that no other ever had: what it holds is known by it."""

    def __init__(self, ports: Ports, name: str, most: int = 5000) -> None:
        self._ports = ports
        self._name = name
        self._free = most
        self._freed = asyncio.Event()
        self._queueing = False
        self._runs: asyncio.TaskGroup | None = None
        self._begun: set[str] = set()
        self._held: dict[str, asyncio.Task[None]] = {}
        self._too_early: set[str] = set()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Take no more runs and hand back those at work; `run` returns when all that is written down."""
        self._stopping.set()

    async def run(self) -> None:
        """Take and carry runs until stopped."""
        async with asyncio.TaskGroup() as runs:
            self._runs = runs
            async with asyncio.TaskGroup() as loops:
                listening = [
                    loops.create_task(loop())
                    for loop in (self._take_offers, self._look_for_runs, self._hear_interrupts, self._look_for_stops)
                ]
                await self._stopping.wait()
                for task in listening:
                    task.cancel()
            self._runs = None
            for task in list(self._held.values()):
                task.cancel()

    def take(self, run_id: str, ready: Ready) -> Awaitable[RunRow] | None:
        """Implements `engine.taker.Taker`."""
        # Those that wait for room come first.
        if self._runs is None or not self._free or self._queueing or run_id in self._begun:
            return None
        written: asyncio.Future[RunRow] = asyncio.get_running_loop().create_future()
        task = self._begin(self._runs, run_id, lambda: self._written(ready, written))
        task.add_done_callback(lambda _: written.cancel())  # it may have been cancelled before it began
        return asyncio.shield(written)

    async def _take_offers(self) -> None:
        async with self._ports.broker.offers() as offers:
            async for offer in offers:
                await self._take(offer.run_id, offer.done)

    async def _look_for_runs(self) -> None:
        """Take what waits in the store: what was offered to nobody."""
        while True:
            try:
                waiting = await self._ports.store.read(
                    lambda tx: tx.runs.ready(self._ports.most_running, self._ports.now(), _LOOK)
                )
            except Exception:
                _log.exception("looking for waiting runs failed; trying again")
                waiting = []
            for run_id in waiting:
                await self._take(run_id)
            await self._ports.clock.sleep(_PERIOD)

    async def _take(self, run_id: str, done: Callable[[], object] = lambda: None) -> None:
        """Take a run that is offered, once there is room for it; `done` when it was taken, or need not be."""
        while not self._free:
            self._queueing = True
            self._freed.clear()
            await self._freed.wait()
        self._queueing = False
        if self._runs is not None and run_id not in self._begun:
            self._begin(self._runs, run_id, lambda: self._claim(run_id, done))
        else:
            done()

    async def _claim(self, run_id: str, done: Callable[[], object]) -> Hold | None:
        hold = await claim(self._ports, run_id, self._name)
        done()
        return hold

    def _begin(self, runs: asyncio.TaskGroup, run_id: str, taking: Taking) -> asyncio.Task[None]:
        self._free -= 1
        self._begun.add(run_id)
        return runs.create_task(self._carry(run_id, taking))

    async def _written(self, ready: Ready, written: asyncio.Future[RunRow]) -> Hold | None:
        """Write a run that was made ready here; what goes wrong is its maker's to know."""
        try:
            row = await ready(self._name)
        except Exception as error:
            written.set_exception(error)
            return None
        except BaseException:
            written.cancel()
            raise
        written.set_result(row)
        return Hold(self._ports, row, self._name) if row.owner == self._name else None

    async def _hear_interrupts(self) -> None:
        async with self._ports.broker.interrupts() as interrupts:
            async for run_id in interrupts:
                try:
                    await self._interrupt(run_id)
                except Exception:
                    _log.exception("looking at an interrupted run failed run=%s", run_id)

    async def _look_for_stops(self) -> None:
        """Stop what must not go on: what was cancelled without us hearing of it, and what is overdue."""
        while True:
            await self._ports.clock.sleep(_PERIOD)
            try:
                stopping = await self._ports.store.read(
                    lambda tx: tx.runs.stopping(self._name, self._ports.now(), _LOOK)
                )
                for run_id in stopping:
                    self._stop(run_id)
            except Exception:
                _log.exception("looking for runs that must stop failed; trying again")

    async def _interrupt(self, run_id: str) -> None:
        if run_id in self._begun and self._must_stop(await self._ports.store.read(lambda tx: tx.runs.load(run_id))):
            self._stop(run_id)

    def _stop(self, run_id: str) -> None:
        task = self._held.get(run_id)
        if task is not None:
            task.cancel()
        elif run_id in self._begun:
            self._too_early.add(run_id)

    def _must_stop(self, row: RunRow | None) -> bool:
        """Whether a run that this worker carries must not go on."""
        return row is None or row.owner != self._name or stop_signal(row.run, self._ports.now()) is not None

    async def _carry(self, run_id: str, taking: Taking) -> None:
        """One run, from taking it to letting it go."""
        try:
            hold = await taking()
            if hold is not None:
                await self._execute(hold)
        except Exception:
            _log.exception("taking a run failed; it stays queued run=%s", run_id)
        finally:
            self._begun.discard(run_id)
            self._too_early.discard(run_id)
            self._free += 1
            self._freed.set()

    async def _execute(self, hold: Hold) -> None:
        if self._stopping.is_set() or hold.run.id in self._too_early:
            await self._settle(hold)
            return
        error = await self._until_interrupted(hold)
        if error is not _ENDED:
            await self._settle(hold, error)

    async def _until_interrupted(self, hold: Hold) -> LastError | None:
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
            task.uncancel()
            return None
        except Exception as cause:
            _log.exception("a run failed for a reason nobody thought of run=%s", hold.run.id)
            return LastError(code="server_error", message=f"The server failed: {type(cause).__name__}: {cause}")
        finally:
            # From here on nobody may cancel it: what happened is written down.
            del self._held[hold.run.id]
        return _ENDED

    async def _settle(self, hold: Hold, error: LastError | None = None) -> None:
        """Write down how a run ended that did not end by itself, however long the store takes."""
        pause = 0.05
        while True:
            try:
                await self._write_down(hold, error)
            except Exception:
                _log.exception("writing down how a run ended failed; trying again run=%s", hold.run.id)
                await self._ports.clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                break
        if hold.run.status is Status.QUEUED and not self._stopping.is_set():
            await self._ports.broker.offer(hold.run.id)

    async def _write_down(self, hold: Hold, error: LastError | None) -> None:
        try:
            await hold.reload()
            await hold.end(partial(self._ending, error), error)
        except Interrupted:
            await hold.part()

    def _ending(self, error: LastError | None, run: Run) -> Signal:
        return stop_signal(run, self._ports.now()) or (Signal.RESCUE if error is None else Signal.FAIL)
