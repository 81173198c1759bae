"""The worker: takes runs that are ready and carries each as far as it goes, thousands at once."""

import asyncio
import logging

from runstead.domain.lifecycle import Signal
from runstead.engine.execute import execute
from runstead.engine.hold import Hold, Interrupted, claim
from runstead.engine.ports import Ports
from runstead.store.port import RunRow
from runstead.wire.run import LastError, Status

__all__ = ["Worker"]

_log = logging.getLogger("runstead.worker")

_LOOK = 10_000
"""How many waiting runs one look in the store may find."""
_LONGEST_PAUSE = 5.0
"""Seconds between tries to write down how a run ended, while the store fails."""

_ENDED = LastError(code="server_error", message="")
"""Stands for no error and no interruption."""


class Worker:
    """One worker, by a name that no other ever had: what it holds is known by it."""

    def __init__(self, ports: Ports, name: str, most: int = 5000) -> None:
        self._ports = ports
        self._name = name
        self._room = asyncio.Semaphore(most)
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
            async with asyncio.TaskGroup() as loops:
                listening = [
                    loops.create_task(self._take_offers(runs)),
                    loops.create_task(self._hear_interrupts()),
                ]
                await self._stopping.wait()
                for task in listening:
                    task.cancel()
            for task in list(self._held.values()):
                task.cancel()

    async def _take_offers(self, runs: asyncio.TaskGroup) -> None:
        async with self._ports.broker.offers() as offers:
            await self._look(runs)
            async for run_id in offers:
                if run_id is None:
                    await self._look(runs)
                else:
                    await self._begin(runs, run_id)

    async def _look(self, runs: asyncio.TaskGroup) -> None:
        """Begin what waits in the store: what was offered to nobody."""
        try:
            waiting = await self._ports.store.read(lambda tx: tx.runs.queued(_LOOK))
        except Exception:
            _log.exception("looking for waiting runs failed; trying again")
            return
        for run_id in waiting:
            await self._begin(runs, run_id)

    async def _begin(self, runs: asyncio.TaskGroup, run_id: str) -> None:
        if run_id in self._begun:
            return
        await self._room.acquire()
        self._begun.add(run_id)
        runs.create_task(self._carry(run_id))

    async def _hear_interrupts(self) -> None:
        async with self._ports.broker.interrupts() as interrupts:
            async for run_id in interrupts:
                row = await self._ports.store.read(lambda tx, id=run_id: tx.runs.load(id))  # type: ignore[misc]
                if not self._must_stop(row):
                    continue
                task = self._held.get(run_id)
                if task is not None:
                    task.cancel()
                elif run_id in self._begun:
                    self._too_early.add(run_id)

    def _must_stop(self, row: RunRow | None) -> bool:
        """Whether a run that this worker carries must not go on."""
        return row is None or row.owner != self._name or row.run.status is Status.CANCELLING or self._overdue(row)

    def _overdue(self, row: RunRow) -> bool:
        return row.run.expires_at is not None and row.run.expires_at <= self._ports.now()

    async def _carry(self, run_id: str) -> None:
        """One run, from taking it to letting it go."""
        try:
            hold = await claim(self._ports, run_id, self._name)
            if hold is not None:
                await self._execute(hold)
        except Exception:
            _log.exception("taking a run failed; it stays queued run=%s", run_id)
        finally:
            self._begun.discard(run_id)
            self._too_early.discard(run_id)
            self._room.release()

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
                await hold.reload()
                await hold.end(self._ending(hold, error), error)
            except Interrupted:
                return
            except Exception:
                _log.exception("writing down how a run ended failed; trying again run=%s", hold.run.id)
                await self._ports.clock.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                break
        if hold.run.status is Status.QUEUED and not self._stopping.is_set():
            await self._ports.broker.offer(hold.run.id)

    def _ending(self, hold: Hold, error: LastError | None) -> Signal:
        if hold.run.status is Status.CANCELLING:
            return Signal.STOP
        if self._overdue(hold.row):
            return Signal.EXPIRE
        return Signal.RESCUE if error is None else Signal.FAIL
