"""The worker: takes runs that are ready and carries each as far as it goes, thousands at once.

```
take ─────────┐  a run that is made ready in this process, in the same commit
offers ───────┼─▶ _begin ─▶ executor: take, then carry ─▶ room for the next one
looks ────────┘  what waits in the store: once a second, and whenever somebody who had to wait may come in
```
It takes no more than it can hold. While somebody waits that it had no room for, all that it takes it takes by looks,
which are fair: not by who asks first or loudest.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable
from functools import partial

from runstead.broker.port import Offer
from runstead.engine.adapters import Adapters
from runstead.engine.execution.claimed_run import ClaimedRun, claim
from runstead.engine.executor_port import Ready
from runstead.store.port import NoRoom, RunRow, Tx
from runstead.worker.executor import Executor, Taking

__all__ = ["Worker"]

_log = logging.getLogger("runstead.worker")

_PERIOD = 1.0
"""Seconds, at most, between two looks in the store."""
_AT_ONCE = 8
"""Runs that are being taken from the store at a time: so many that come to nothing, because a project has no room, or
that wait for one that somebody else holds, leave the store to those at work.
"""
_MOST = 200
"""Runs that one look takes: what others could have meanwhile."""


class Worker:
    """One worker, by a name that no other ever had: what it holds is known by it."""

    def __init__(self, adapters: Adapters, name: str, most: int = 5000) -> None:
        self._adapters = adapters
        self._name = name
        self._executor = Executor(adapters, name)
        self._runs: asyncio.TaskGroup | None = None
        self._room = most
        self._freed = asyncio.Event()
        self._behind = False
        """Somebody waits that there was no room for here."""
        self._full: set[str] = set()
        """Projects of which somebody waits for room among their own, as far as is known."""
        self._newly_full: set[str] = set()
        """Those that became known since the last look began."""
        self._look = asyncio.Event()
        self._claiming = asyncio.Semaphore(_AT_ONCE)
        self._stopping = asyncio.Event()
        self._resting = False
        self.in_doubt = asyncio.Event()
        """Set when the store did not say whether a run that was taken is ours."""

    @property
    def name(self) -> str:
        """What it takes is known by it from now on."""
        return self._name

    @property
    def _free(self) -> int:
        """How many more it can hold; none while it rests."""
        return 0 if self._resting else self._room

    def stop(self) -> None:
        """Take no more runs and hand back those at work; `run` returns when all that is written down."""
        self._stopping.set()

    def rest(self) -> None:
        """Let go of all runs at once, and take none until it resumes."""
        self._resting = True
        self._executor.hand_back(patiently=not self._stopping.is_set())

    def resume(self, name: str) -> None:
        """Take runs again, by this name."""
        if self._stopping.is_set():
            return
        self._name, self._resting = name, False
        self._executor.resume(name)
        self._freed.set()

    def carries(self, run_id: str) -> bool:
        """Whether this run is in its hands."""
        return self._executor.carries(run_id)

    async def run(self) -> None:
        """Take and carry runs until stopped."""
        executor = self._executor
        async with asyncio.TaskGroup() as runs:
            self._runs = runs
            async with asyncio.TaskGroup() as loops:
                listening = [
                    loops.create_task(loop())
                    for loop in (
                        self._take_offers,
                        self._look_for_runs,
                        executor.hear_interrupts,
                        executor.look_for_stops,
                    )
                ]
                await self._stopping.wait()
                for task in listening:
                    task.cancel()
            self._runs = None
            executor.hand_back(patiently=not self._resting)

    def take(self, run_id: str, ready: Ready) -> Awaitable[RunRow] | None:
        """Implements `engine.taker.Taker`."""
        if not self._free:
            self._behind = True
        if self._runs is None or self._behind:
            return None
        written: asyncio.Future[RunRow] = asyncio.get_running_loop().create_future()
        begun = self._begin(self._runs, lambda: self._written(ready, written))
        begun.add_done_callback(lambda _: written.cancel())  # it may have been cancelled before it began
        return asyncio.shield(written)

    async def _take_offers(self) -> None:
        taking: set[asyncio.Future[None]] = set()
        async with self._adapters.broker.offers() as offers:
            while True:
                if len(taking) >= _AT_ONCE:
                    await asyncio.wait(taking, return_when=asyncio.FIRST_COMPLETED)
                while not self._free or self._behind:
                    await self._wait_for_room()
                offer = await anext(offers)
                if self._runs is not None and self._free:
                    taken = self._begin(self._runs, partial(self._claim_offered, offer))
                    taking.add(taken)
                    taken.add_done_callback(taking.discard)
                else:  # others came in while it was on its way
                    await self._adapters.broker.offer(offer.run_id)
                    offer.ack()

    async def _look_for_runs(self) -> None:
        """Take what waits in the store."""
        async with asyncio.TaskGroup() as timers:
            timer: asyncio.Task[None] | None = None
            while True:
                while not self._free:
                    await self._wait_for_room()
                self._look.clear()
                try:
                    await self._take_waiting()
                except Exception:
                    _log.exception("looking for waiting runs failed; trying again")
                if timer is None or timer.done():
                    # Not all workers at once.
                    pause = random.uniform(0.8, 1.0) * _PERIOD  # noqa: S311 - it guards nothing
                    timer = timers.create_task(self._adapters.clock.sleep(pause))
                    timer.add_done_callback(lambda _: self._look.set())
                await self._look.wait()

    async def _take_waiting(self) -> None:
        """One look: take as many as there is room for, and come back for more once they are taken."""
        asked = min(self._free, _MOST)
        waiting = await self._waiting(asked)
        if self._runs is None:
            return
        taken = [self._begin(self._runs, partial(self._claim_waiting, run_id)) for run_id in waiting]
        self._behind = len(waiting) == asked
        if taken:
            await asyncio.wait(taken)
        if self._behind:
            self._look.set()
        else:
            self._freed.set()

    async def _waiting(self, most: int) -> list[str]:
        """Whom to take next; and learn anew of which projects somebody waits besides."""
        known, self._newly_full = frozenset(self._full), set()

        async def work(tx: Tx) -> tuple[list[str], set[str]]:
            ready = await tx.runs.claimable(self._adapters.max_running, self._adapters.now(), most)
            return ready, {project for project in known if await tx.runs.queue_length_reached(project, 1)}

        ready, still = await self._adapters.store.read(work)
        self._full = still | self._newly_full
        return ready

    def _expect(self, project: str) -> None:
        """Whenever a run of this project ends, somebody may come in."""
        self._full.add(project)
        self._newly_full.add(project)

    async def _wait_for_room(self) -> None:
        self._freed.clear()
        await self._freed.wait()

    def _begin(self, runs: asyncio.TaskGroup, taking: Taking) -> "asyncio.Future[None]":
        """Take a run and carry it; done when it is taken, or is not to be had."""
        taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._room -= 1
        task = runs.create_task(self._carry(taking, taken))
        task.add_done_callback(lambda _: _done(taken))
        return taken

    async def _carry(self, taking: Taking, taken: "asyncio.Future[None]") -> None:
        project = None
        try:
            hold = await self._executor.take(taking)
            _done(taken)
            if hold is not None:
                project = hold.row.project
                await self._executor.carry(hold)
        except NoRoom as full:
            self._expect(full.project)
        except Exception:
            self.in_doubt.set()
            _log.exception("taking a run failed; it stays queued")
        finally:
            self._room += 1
            self._freed.set()
            if self._behind or project in self._full:
                self._look.set()

    async def _written(self, ready: Ready, written: asyncio.Future[RunRow]) -> ClaimedRun | None:
        """Write a run that was made ready here; what goes wrong is its maker's to know."""
        try:
            row = await ready(name := self._name)
        except Exception as error:
            self.in_doubt.set()
            written.set_exception(error)
            return None
        except BaseException:
            written.cancel()
            raise
        written.set_result(row)
        if row.owner == name:
            return ClaimedRun(self._adapters, row, name)
        if row.predecessor is None:
            self._look.set()  # there may be room, but for those who came before
            raise NoRoom(row.project)
        return None

    async def _claim_offered(self, offer: Offer) -> ClaimedRun | None:
        try:
            hold = await self._claim(offer.run_id)
        except NoRoom:
            offer.ack()
            raise
        offer.ack()
        return hold

    async def _claim_waiting(self, run_id: str) -> ClaimedRun | None:
        hold = await self._claim(run_id)
        if hold is not None and self._adapters.max_running is not None:
            self._expect(hold.row.project)
        return hold

    async def _claim(self, run_id: str) -> ClaimedRun | None:
        async with self._claiming:
            return await claim(self._adapters, run_id, self._name)


def _done(taken: "asyncio.Future[None]") -> None:
    if not taken.done():
        taken.set_result(None)
