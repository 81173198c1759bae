"""Runs over the store: creating, reading, changing and cancelling them. Workers execute them.

Every call that makes a run ready to be executed ends the same way:

```
create_run ─▶ _create_on_thread ─┬─ idle thread ─▶ _insert ──┬─▶ _create ─┬─▶ _claim_or_offer
                                 └─ busy thread ─▶ _enqueue ─┤            │
create_thread_run ─▶ _create_with_thread ─────▶ _insert ─────┘            │
submit_tool_output ─▶ _submit ────────────────────────────────────────────┘
```
`_claim_or_offer` reserves a slot of this process's worker, writes in one transaction and publishes the events. Without
a free slot it offers the run to all workers.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

from msgspec import UNSET
from msgspec.structs import replace

from runstead.domain import creation, guards, ids
from runstead.domain.chosen_defaults import NONE_CHOSEN, ChosenDefaults, of_run
from runstead.domain.idempotency import Replay
from runstead.domain.run import call_step, transitions
from runstead.domain.run.change import Change, combine
from runstead.engine import thread_queue
from runstead.engine.adapters import Adapters
from runstead.engine.execution.commit import Committed, publish, write
from runstead.engine.execution.journal import read_open_work
from runstead.engine.execution.stop import publish_stopped, stop
from runstead.engine.execution.toolbox import Toolbox
from runstead.engine.file_references import check_messages, check_resources
from runstead.engine.idempotency import RecordedReply
from runstead.engine.included import shown_step
from runstead.engine.resources.scope import Bound, found, page_of, the_thread
from runstead.engine.resources.store_references import StoreReferences, attach, fills_stores
from runstead.engine.resources.threads import check_thread, new_thread, with_stores
from runstead.engine.slots import Slot, Slots
from runstead.store.port import Limits, Opening, RunRow, Stale, ThreadBusy, Tx
from runstead.wire.error import ApiError, BadRequest
from runstead.wire.event import RawEvent
from runstead.wire.options import OnBusy
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.run_step import Include, RunStep
from runstead.wire.struct import Metadata, SortOrder, UnsetType
from runstead.wire.thread import Thread, ThreadRequest
from runstead.wire.tool import ToolOutput

__all__ = ["Runs"]


class _ReadyRun(NamedTuple):
    """A run that was created or got its outputs, as it was written: claimed, queued, or queued behind another run."""

    row: RunRow
    events: Sequence[RawEvent]
    reply: Run
    """The run for the caller: as it was before the same commit claimed it."""
    interrupted: Committed | None = None
    """The predecessor that was cancelled for this run."""

    @property
    def seq_before(self) -> int:
        """The number of the run's last event before this write."""
        return self.row.seq - len(self.events)


_Work: TypeAlias = Callable[[Tx, str | None], Awaitable[_ReadyRun]]
"""Writes a run in a transaction. The second argument is the owner to claim the run for, if the run may be claimed."""


class Runs(Bound):
    """Implements `interface.Runs` except for its streams."""

    def __init__(self, adapters: Adapters, project: str, slots: Slots | None = None) -> None:
        super().__init__(adapters, project)
        self._slots = slots

    async def create_run(self, thread_id: str, request: RunRequest, include: Sequence[Include] = ()) -> Run:
        return await self._create_on_thread(thread_id, request, self._adapters.new_id("run"))

    async def create_thread_run(self, request: ThreadRunRequest) -> Run:
        return await self._create_with_thread(request, self._adapters.new_id("run"))

    async def get_run(self, thread_id: str, run_id: str) -> Run:
        return (await self._row(thread_id, run_id)).run

    async def update_run(self, thread_id: str, run_id: str, metadata: Metadata | None | UnsetType = UNSET) -> Run:
        ids.check(thread_id=thread_id, run_id=run_id)

        async def work(tx: Tx) -> Run:
            row = await self._load(tx, thread_id, run_id)
            if metadata is UNSET:
                return row.run
            run = replace(row.run, metadata=metadata or {})
            return (await write(tx, row, Change(run=run), self._adapters.now())).row.run

        return await self._write(work)

    async def runs(
        self,
        thread_id: str,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
    ) -> Page[Run]:
        ids.check(thread_id=thread_id)
        query = ListQuery(limit=limit, order=order, after=after, before=before)

        async def work(tx: Tx) -> Page[Run]:
            return await page_of(
                "run",
                query,
                lambda query: tx.runs.page(self._project, thread_id, query),
                lambda: the_thread(tx, self._project, thread_id),
            )

        return await self._read(work)

    async def submit_tool_output(self, thread_id: str, run_id: str, output: Sequence[ToolOutput]) -> Run:
        run, _ = await self._submit(thread_id, run_id, output)
        return run

    async def cancel(self, thread_id: str, run_id: str) -> Run:
        ids.check(thread_id=thread_id, run_id=run_id)

        async def work(tx: Tx) -> tuple[Run, Committed]:
            row = await self._load(tx, thread_id, run_id)
            guards.check_cancel(row.run)
            now = self._adapters.now()
            return transitions.cancel(row.run, now).run, await stop(tx, row, now)

        asked, stopped = await self._write(work, lambda done: RecordedReply(done[0]))
        await publish_stopped(self._adapters, stopped)
        return asked

    async def run_step(self, thread_id: str, run_id: str, step_id: str, include: Sequence[Include] = ()) -> RunStep:
        ids.check(thread_id=thread_id, run_id=run_id, step_id=step_id)

        async def work(tx: Tx) -> RunStep:
            await self._load(tx, thread_id, run_id)
            return found("run step", step_id, await tx.steps.get(self._project, run_id, step_id))

        return _shown(await self._read(work), include)

    async def run_steps(
        self,
        thread_id: str,
        run_id: str,
        limit: int = 20,
        order: SortOrder = SortOrder.DESC,
        after: str | None = None,
        before: str | None = None,
        include: Sequence[Include] = (),
    ) -> Page[RunStep]:
        ids.check(thread_id=thread_id, run_id=run_id)
        query = ListQuery(limit=limit, order=order, after=after, before=before)

        async def work(tx: Tx) -> Page[RunStep]:
            await self._load(tx, thread_id, run_id)
            return await page_of("run step", query, lambda query: tx.steps.page(self._project, run_id, query))

        page = await self._read(work)
        return replace(page, data=[_shown(step, include) for step in page.data])

    async def _create_on_thread(self, thread_id: str, request: RunRequest, run_id: str) -> Run:
        """Create a run on a thread, with its additional messages: all of them, or nothing."""
        ids.check(thread_id=thread_id, assistant_id=request.assistant_id)
        additional = creation.value_or(request.additional_messages, [])
        guards.check_no_on_busy(additional, "additional_messages")

        async def work(tx: Tx, owner: str | None) -> _ReadyRun:
            opening = await self._read_opening(tx, request, thread_id)
            thread = found("thread", thread_id, opening.thread)
            run = self._new_run(opening, request, run_id, thread_id)
            messages = [
                creation.message(message, self._adapters.new_id("msg"), thread_id, run.created_at)
                for message in additional
            ]
            await check_messages(tx, self._project, messages, run.created_at)
            thread = await attach(tx, self._adapters, self._project, thread, messages)
            run = await self._with_resources(tx, run, thread, request)
            created, chosen_defaults = transitions.created(run), _chosen_defaults(opening, request)
            change = replace(created, new_messages=messages, chosen_defaults=chosen_defaults)
            on_busy = thread_queue.on_busy_for(self._adapters, thread, request.on_busy)
            predecessor = await thread_queue.predecessor_for(tx, self._project, thread_id, on_busy)
            if predecessor is None:
                return await self._insert(tx, change, owner, opening.limits)
            return await self._enqueue(tx, change, predecessor, on_busy)

        return await self._create(run_id, work, ingests=any(message.attachments for message in additional))

    async def _create_with_thread(self, request: ThreadRunRequest, run_id: str) -> Run:
        """Create a thread and a run on it: both, or neither."""
        ids.check(assistant_id=request.assistant_id)
        asked = ThreadRequest() if request.thread is UNSET else request.thread
        new, messages = new_thread(self._adapters, asked, "thread.messages")

        async def work(tx: Tx, owner: str | None) -> _ReadyRun:
            opening = await self._read_opening(tx, request, None)
            run = self._new_run(opening, request, run_id, new.id)
            await check_thread(tx, self._project, new, messages)
            thread = await with_stores(tx, self._adapters, self._project, new, messages)
            run = await self._with_resources(tx, run, thread, request)
            created, chosen_defaults = transitions.created(run, thread), _chosen_defaults(opening, request)
            change = replace(created, new_messages=messages, chosen_defaults=chosen_defaults)
            await tx.threads.insert(self._project, thread)
            return await self._insert(tx, change, owner, opening.limits)

        ingests = fills_stores(new.tool_resources, messages)
        return await self._create(run_id, work, ingests=ingests or request.tool_resources is not UNSET)

    async def _create(self, run_id: str, work: _Work, *, ingests: bool) -> Run:
        """Write a new run, claim or offer it, and report it to the observer. `ingests`: files were added to vector
        stores.
        """
        created = await self._claim_or_offer(run_id, work)
        self._adapters.ingest(ingests)
        self._adapters.observer.run_created(created.row)
        return created.reply

    async def _read_opening(self, tx: Tx, request: RunRequest | ThreadRunRequest, thread_id: str | None) -> Opening:
        defaults = self._adapters.limits.of_project
        return await tx.runs.opening(self._project, thread_id, request.assistant_id, defaults)

    def _new_run(self, opening: Opening, request: RunRequest | ThreadRunRequest, run_id: str, thread_id: str) -> Run:
        adapters = self._adapters
        if opening.queue_full and opening.limits.max_queued is not None:
            raise guards.queue_full(opening.limits.max_queued)
        assistant = found("assistant", request.assistant_id, opening.assistant).assistant
        served = {tool.kind for tool in adapters.tools}
        run = creation.run(request, assistant, run_id, thread_id, adapters.now(), adapters.limits.lifetime, served)
        guards.check_offers(Toolbox(adapters.tools, run).offers)
        if not adapters.model.supports(run.model):
            raise BadRequest(
                f"The requested model '{run.model}' cannot be used with the Assistants API.",
                param="model",
                code="unsupported_model",
            )
        return run

    async def _with_resources(self, tx: Tx, run: Run, thread: Thread, request: RunRequest | ThreadRunRequest) -> Run:
        """The run with the vector stores that its request asks for. Those that it would search must exist."""
        stores = StoreReferences(tx, self._adapters, self._project)
        if request.tool_resources is not UNSET:
            await check_resources(tx, self._project, request.tool_resources, run.created_at)
            run = replace(run, tool_resources=await stores.made(run.tool_resources))
        await stores.check_searchable(run, thread)
        return run

    async def _insert(self, tx: Tx, change: Change, owner: str | None, limits: Limits) -> _ReadyRun:
        """Insert a run on an idle thread, claimed by `owner` if the project's limit of running runs allows it."""
        run = change.run
        owner = await self._below_limit(tx, owner, run.created_at, limits)
        if owner is not None:
            # Not `created_at`: the run that was active before may have ended since.
            change = combine(change, transitions.claim(run, self._adapters.now(), owner))
        try:
            created = await tx.runs.create(self._project, change)
        except ThreadBusy:
            active = await tx.runs.active(self._project, run.thread_id)
            if active is None:
                raise Stale(run.thread_id) from None  # the active run has ended since: decide again
            raise guards.thread_busy(run.thread_id, active.id) from None
        guards.check_has_input(run, empty_thread=created.empty_thread)
        return _ReadyRun(created.row, change.events, run)

    async def _enqueue(self, tx: Tx, change: Change, predecessor: RunRow, on_busy: OnBusy) -> _ReadyRun:
        """Queue a run on a busy thread, behind a predecessor. With `interrupt`, the predecessor is cancelled."""
        run, interrupting = change.run, on_busy == "interrupt"
        row = await thread_queue.enqueue(tx, predecessor, change, first=interrupting)
        interrupted = await thread_queue.interrupt(tx, predecessor, run.created_at) if interrupting else None
        return _ReadyRun(row, change.events, run, interrupted)

    async def _submit(self, thread_id: str, run_id: str, output: Sequence[ToolOutput]) -> tuple[Run, int]:
        """Submit the outputs. Returns the run, queued again, and the number of its last event before that."""
        ids.check(thread_id=thread_id, run_id=run_id)

        async def work(tx: Tx, owner: str | None) -> _ReadyRun:
            row = await self._load(tx, thread_id, run_id)
            now = self._adapters.now()
            guards.check_not_past_deadline(row.run, now)
            outputs = guards.check_outputs(row.run, output)
            open_work = await read_open_work(tx, row)
            change = call_step.submit_outputs(row.run, open_work, outputs, now)
            if owner is not None:
                limits = await tx.projects.limits(self._project, self._adapters.limits.of_project)
                owner = await self._below_limit(tx, owner, now, limits)
            after = change if owner is None else combine(change, transitions.claim(change.run, now, owner))
            written = await write(tx, row, after, now)
            return _ReadyRun(written.row, written.events, change.run)

        submitted = await self._claim_or_offer(run_id, work)
        return submitted.reply, submitted.seq_before

    async def _below_limit(self, tx: Tx, owner: str | None, now: int, limits: Limits) -> str | None:
        """`owner` if the project is below its limit of running runs and nothing older is queued; else None."""
        if owner is None or limits.max_running is None:
            return owner
        return owner if await tx.runs.below_limit(self._project, limits.max_running, now) else None

    async def _claim_or_offer(self, run_id: str, work: _Work) -> _ReadyRun:
        """Write a run that is ready to be executed. With a free slot of this process's worker, the same commit claims
        the run; without one, the run is offered to all workers.

        A run that is queued behind another one is neither claimed nor offered. A run of a project at its limit of
        running runs is not claimed; if a slot was reserved, it is not offered either: workers find it when they poll.
        """
        slot = self._slots.reserve() if self._slots is not None else None
        written = await self._write_with_slot(slot, work)
        if slot is not None:
            slot.hand_over(written.row)
        await publish(self._adapters, Committed(written.row, written.events))
        if written.interrupted is not None:
            await publish_stopped(self._adapters, written.interrupted)
        elif slot is None and written.row.predecessor is None:
            await self._adapters.broker.offer(run_id)
        return written

    async def _write_with_slot(self, slot: Slot | None, work: _Work) -> _ReadyRun:
        """Write a run, for the slot's owner. The slot is released if the write fails."""
        owner = None if slot is None else slot.owner
        try:
            return await self._write(lambda tx: work(tx, owner), _reply)
        except (ApiError, Replay):
            if slot is not None:
                slot.release()
            raise
        except BaseException:
            if slot is not None:
                slot.release(unsure=True)
            raise

    async def _row(self, thread_id: str, run_id: str) -> RunRow:
        ids.check(thread_id=thread_id, run_id=run_id)
        return await self._read(lambda tx: self._load(tx, thread_id, run_id))

    async def _load(self, tx: Tx, thread_id: str, run_id: str) -> RunRow:
        row = await tx.runs.get(self._project, thread_id, run_id)
        if row is None:
            await the_thread(tx, self._project, thread_id)
        return found("run", run_id, row)


def _chosen_defaults(opening: Opening, request: RunRequest | ThreadRunRequest) -> ChosenDefaults:
    """The options whose default a new run has chosen."""
    return of_run(request, NONE_CHOSEN if opening.assistant is None else opening.assistant.chosen_defaults)


def _reply(written: _ReadyRun) -> RecordedReply:
    return RecordedReply(written.reply, written.seq_before)


def _shown(step: RunStep, include: Sequence[Include]) -> RunStep:
    """A step as callers see it: with what they asked for, and its usage once it has ended."""
    step = shown_step(step, include)
    return replace(step, usage=None) if step.status == "in_progress" and step.usage is not None else step
