"""The worker: claims runs that are ready and executes thousands of them at once.

```
reserve ─▶ hand_over ┐  a run that this process makes ready is claimed by the commit that makes it ready
offers ──────────────┼─▶ claim ─▶ executor ─▶ a free slot
polls ───────────────┘  queued runs in the store: once a second, and whenever a skipped run may be claimable
```
The worker claims no more than it has slots for. While runnable runs were skipped because it was full, it claims by
polls alone: they are fair between projects, whereas offers and reservations favour the latest caller.
"""

import asyncio
import logging
import random
from functools import partial

from runstead.broker.port import Offer
from runstead.engine.adapters import Adapters
from runstead.engine.execution.claimed_run import ClaimedRun, claim
from runstead.store.port import Lane, NoRoom, RunRow, Tx
from runstead.worker.executor import Claiming, Executor
from runstead.worker.failures import log_failure

__all__ = ["Slot", "Worker"]

_log = logging.getLogger("runstead.worker")

_POLL_PERIOD = 1.0
"""Seconds, at most, between two polls of the store."""
_CLAIMS_AT_ONCE = 8
"""Claims that are under way at a time. Many of them come to nothing, because a project is at its limit or another
worker was first; more would keep the store from the runs that are being executed.
"""
_CLAIMS_PER_POLL = 200
"""Runs that one poll claims, so that other workers get their share."""


class Worker:
    """One worker. Its name is unique for all time: a run belongs to it if the run's owner is this name."""

    def __init__(self, adapters: Adapters, name: str, slots: int = 5000) -> None:
        self._adapters = adapters
        self._name = name
        self._executor = Executor(adapters, name)
        self._tasks: asyncio.TaskGroup | None = None
        self._unused = slots
        self._slot_freed = asyncio.Event()
        self._reserved = 0
        self._none_reserved = asyncio.Event()
        self._none_reserved.set()
        self._backlogged = False
        """A runnable run was skipped because this worker was full."""
        self._limited: set[str] = set()
        """Projects with runs that wait for their project's own limit, as far as is known."""
        self._newly_limited: set[str] = set()
        """Those that became known since the last poll began."""
        self._poll_now = asyncio.Event()
        self._claims = asyncio.Semaphore(_CLAIMS_AT_ONCE)
        self._stopping = asyncio.Event()
        self._paused = False
        self.claim_unsure = asyncio.Event()
        """Set when the store did not say whether a claim was committed: this worker may own a run that it does not
        execute.
        """

    @property
    def name(self) -> str:
        """The owner of the runs that it claims from now on."""
        return self._name

    @property
    def _free(self) -> int:
        """How many more runs it can execute; none while it is paused."""
        return 0 if self._paused else self._unused

    def stop(self) -> None:
        """Claim nothing more and release the runs at work; `run` returns when that is written."""
        self._stopping.set()

    def pause(self) -> None:
        """Claim no run until `resume`. The runs at work go on: their version says whether they may still be written."""
        self._paused = True

    def resume(self, name: str) -> None:
        """Claim runs again, as the owner of this name."""
        self._name, self._paused = name, False
        self._executor.rename(name)
        self._slot_freed.set()

    def executes(self, run_id: str) -> bool:
        """Whether this run is being executed here."""
        return self._executor.executes(run_id)

    async def run(self) -> None:
        """Claim and execute runs until stopped. Then release them; what cannot be released is left to recovery."""
        limit = asyncio.timeout(None)
        try:
            async with limit, asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                await self._claim_until_stopped()
                await self._executor.release_all(limit)
                # A reserved slot is in the middle of a write: its run is still handed over, and released at once.
                await self._none_reserved.wait()
                self._tasks = None
        except TimeoutError:
            if not limit.expired():
                raise
            _log.warning("the store takes too long: runs that could not be released continue by recovery")
        finally:
            self._tasks = None

    async def _claim_until_stopped(self) -> None:
        executor = self._executor
        async with asyncio.TaskGroup() as loops:
            running = [
                loops.create_task(loop())
                for loop in (
                    self._claim_offers,
                    self._poll_store,
                    executor.receive_interrupts,
                    executor.poll_for_stops,
                )
            ]
            await self._stopping.wait()
            for task in running:
                task.cancel()

    def reserve(self) -> "Slot | None":
        """Implements `engine.slots.Slots`."""
        if not self._free:
            self._backlogged = True
        if self._tasks is None or self._backlogged or self._stopping.is_set():
            return None
        self._unused -= 1
        self._reserved += 1
        self._none_reserved.clear()
        self._executor.begin_claim()
        return Slot(self, self._name)

    def end_reservation(self, owner: str, row: RunRow | None, *, unsure: bool) -> None:
        """A slot was handed over with the written `row`, or given back without one."""
        if row is not None and row.owner == owner and self._tasks is not None:
            self._tasks.create_task(self._execute(ClaimedRun(self._adapters, row, owner, new=row.version == 1)))
        else:
            if row is not None and row.predecessor is None:
                # Below its limit the project has older runs, or it is at its limit: a poll finds out.
                self._expect_waiting(row.project)
                self._poll_now.set()
            if unsure:
                self.claim_unsure.set()
            self._free_slot(None)
        self._executor.end_claim()
        self._reserved -= 1
        if not self._reserved:
            self._none_reserved.set()

    async def _claim_offers(self) -> None:
        claiming: set[asyncio.Future[None]] = set()
        async with self._adapters.broker.offers() as offers:
            while True:
                if len(claiming) >= _CLAIMS_AT_ONCE:
                    await asyncio.wait(claiming, return_when=asyncio.FIRST_COMPLETED)
                while not self._free or self._backlogged:
                    await self._wait_for_slot()
                offer = await anext(offers)
                if self._tasks is not None and self._free:
                    claimed = self._begin(self._tasks, partial(self._claim_offered, offer))
                    claiming.add(claimed)
                    claimed.add_done_callback(claiming.discard)
                else:  # the last slot was used while the offer was on its way
                    await self._adapters.broker.offer(offer.run_id)
                    offer.ack()

    async def _poll_store(self) -> None:
        """Claim queued runs of the store."""
        async with asyncio.TaskGroup() as timers:
            timer: asyncio.Task[None] | None = None
            while True:
                while not self._free:
                    await self._wait_for_slot()
                self._poll_now.clear()
                try:
                    await self._claim_queued()
                except Exception as error:
                    log_failure(_log, error, "polling for queued runs failed; trying again")
                if timer is None or timer.done():
                    # Spread, so that the workers do not poll together.
                    pause = random.uniform(0.8, 1.0) * _POLL_PERIOD  # noqa: S311 - it guards nothing
                    timer = timers.create_task(self._adapters.clock.sleep(pause))
                    timer.add_done_callback(lambda _: self._poll_now.set())
                await self._poll_now.wait()

    async def _claim_queued(self) -> None:
        """One poll: claim as many runs as there are slots, and poll again at once if there may be more."""
        wanted = min(self._free, _CLAIMS_PER_POLL)
        queued = await self._claimable(wanted)
        if self._tasks is None:
            return
        claimed = [self._begin(self._tasks, partial(self._claim_polled, run_id)) for run_id in queued]
        self._backlogged = len(queued) == wanted
        if claimed:
            await asyncio.wait(claimed)
        if self._backlogged:
            self._poll_now.set()
        else:
            self._slot_freed.set()

    async def _claimable(self, limit: int) -> list[str]:
        """The runs to claim next; also refreshes which projects have runs that wait for their limit."""
        known, self._newly_limited = frozenset(self._limited), set()

        async def work(tx: Tx) -> tuple[list[str], set[str]]:
            ready = await tx.runs.claimable(self._adapters.limits.max_running, self._adapters.now(), limit)
            return ready, {project for project in known if await tx.runs.has_queued(project)}

        ready, still = await self._adapters.store.read(work, lane=Lane.RUN)
        self._limited = still | self._newly_limited
        return ready

    def _expect_waiting(self, project: str) -> None:
        """Whenever a run of this project ends, another one may be claimable."""
        self._limited.add(project)
        self._newly_limited.add(project)

    async def _wait_for_slot(self) -> None:
        self._slot_freed.clear()
        await self._slot_freed.wait()

    def _begin(self, tasks: asyncio.TaskGroup, claiming: Claiming) -> "asyncio.Future[None]":
        """Claim a run and execute it; the future is done when the claim has succeeded or failed."""
        claimed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unused -= 1
        task = tasks.create_task(self._claim_and_execute(claiming, claimed))
        task.add_done_callback(lambda _: _done(claimed))
        return claimed

    async def _claim_and_execute(self, claiming: Claiming, claimed: "asyncio.Future[None]") -> None:
        run = None
        try:
            run = await self._executor.claim(claiming)
        except NoRoom as full:
            self._expect_waiting(full.project)
        except Exception as error:
            self.claim_unsure.set()
            log_failure(_log, error, "claiming a run failed; it stays queued")
        finally:
            _done(claimed)
            if run is None:
                self._free_slot(None)
        if run is not None:
            await self._execute(run)

    async def _execute(self, run: ClaimedRun) -> None:
        try:
            await self._executor.execute(run)
        except Exception:
            self.claim_unsure.set()
            _log.exception("unexpected error beside an execution run=%s", run.run.id)
        finally:
            self._free_slot(run.row.project)

    def _free_slot(self, project: str | None) -> None:
        self._unused += 1
        self._slot_freed.set()
        if self._backlogged or project in self._limited:
            self._poll_now.set()

    async def _claim_offered(self, offer: Offer) -> ClaimedRun | None:
        try:
            claimed = await self._claim(offer.run_id)
        except NoRoom:
            offer.ack()
            raise
        offer.ack()
        return claimed

    async def _claim_polled(self, run_id: str) -> ClaimedRun | None:
        claimed = await self._claim(run_id)
        if claimed is not None and claimed.limited:
            self._expect_waiting(claimed.row.project)
        return claimed

    async def _claim(self, run_id: str) -> ClaimedRun | None:
        async with self._claims:
            return await claim(self._adapters, run_id, self._name)


class Slot:
    """A reserved slot of a worker: `engine.slots.Slot`."""

    def __init__(self, worker: Worker, owner: str) -> None:
        self._worker = worker
        self._owner = owner

    @property
    def owner(self) -> str:
        return self._owner

    def hand_over(self, row: RunRow) -> None:
        self._worker.end_reservation(self._owner, row, unsure=False)

    def release(self, *, unsure: bool = False) -> None:
        self._worker.end_reservation(self._owner, None, unsure=unsure)


def _done(claimed: "asyncio.Future[None]") -> None:
    if not claimed.done():
        claimed.set_result(None)
