"""The data after an experiment is compared with what was acknowledged, and checked against the invariants."""

from collections import Counter
from collections.abc import Set as AbstractSet
from itertools import pairwise

from msgspec import Struct, field

from runstead.client import AsyncClient
from runstead.domain.invariants.record import Violation
from runstead.engine.check import Examined, examine
from runstead.store.postgres import PostgresStore
from runstead.wire.error import NotFound
from runstead.wire.message import Message
from runstead.wire.run import Run, Status
from runstead.wire.run_step import RunStep
from runstead.wire.struct import SortOrder
from tests.chaos.history import RunRecord
from tests.chaos.model import ANSWERS
from tests.support.worlds import text_of

__all__ = ["Findings", "check_runs", "check_store", "check_webhook"]

_CLOSE = 1
"""Whole seconds by which two processes may differ about the time, which each has from the database."""


class Findings(Struct):
    """Descriptions of everything that is wrong."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged runs that are missing or have not ended."""
    duplicated: list[str] = field(default_factory=list)
    """Runs that were created twice by one request."""
    repeated: list[str] = field(default_factory=list)
    """Runs that repeated a finished step, or wrote their answer twice."""
    wrong: list[str] = field(default_factory=list)
    """Runs whose answer is not the model's, or whose status is wrong."""
    undelivered: list[str] = field(default_factory=list)
    """Ended runs that the webhook did not receive, or that its outbox has twice."""

    @property
    def violations(self) -> list[str]:
        """All findings."""
        return [*self.lost, *self.duplicated, *self.repeated, *self.wrong, *self.undelivered]


async def check_runs(client: AsyncClient, records: list[RunRecord]) -> Findings:
    """Read every acknowledged run, and compare."""
    findings = Findings()
    acknowledged = [record.run for record in records if record.run is not None]
    created = Counter(run.thread_id for run in acknowledged)
    for record in records:
        assert record.run is not None
        try:
            await _check_run(client, record.kind, record.run, created[record.run.thread_id], findings)
        except NotFound:
            findings.lost.append(f"{record.run.id} was acknowledged and is missing")
    for earlier, later in pairwise(acknowledged):
        queued = earlier.thread_id == later.thread_id
        if queued and (later.started_at or 0) < (earlier.completed_at or 0) - _CLOSE:
            findings.wrong.append(f"{later.id} started before its predecessor {earlier.id} had ended")
    for thread_id in created:
        runs = [run for run in acknowledged if run.thread_id == thread_id]
        findings.wrong += await _check_order(client, thread_id, runs)
    return findings


async def check_webhook(
    client: AsyncClient, webhook_id: str, records: list[RunRecord], received: AbstractSet[str]
) -> list[str]:
    """Findings about a webhook: its outbox has the end of each run once, and each delivered event was received."""
    deliveries = [each async for each in await client.webhook_deliveries(webhook_id, 100)]
    outbox = Counter((each.run_id, str(each.event_type)) for each in deliveries)
    ends = [(record.run.id, f"thread.run.{record.run.status}") for record in records if record.run is not None]
    return [
        *(f"the end of {end[0]} is {outbox[end]} times in the outbox" for end in ends if outbox[end] != 1),
        *(f"{each.id} is {each.status}: {each.error}" for each in deliveries if each.status == "failed"),
        *(f"{each.id} is marked as delivered and was not received" for each in deliveries
          if each.status == "delivered" and each.id not in received),
    ]  # fmt: skip


async def _check_order(client: AsyncClient, thread_id: str, acknowledged: list[Run]) -> list[str]:
    """Findings about a thread's order. Its user creates one run after the other, each behind the one before."""
    runs = [run.id async for run in await client.runs(thread_id, 100, SortOrder.ASC)]
    messages = [each async for each in await client.messages(thread_id, 100, SortOrder.ASC)]
    wrote = list(dict.fromkeys(each.run_id for each in messages if each.run_id is not None))
    expected = [run.id for run in acknowledged]
    paged = await client.messages(thread_id, 2, SortOrder.DESC)
    turned = [each.id async for each in paged][::-1]
    return [
        *([f"the runs of {thread_id} are listed as {runs}, created as {expected}"] if runs != expected else []),
        *([f"{thread_id} has answers of {wrote}, in another order than its runs {expected}"]
          if wrote != [run for run in expected if run in wrote] else []),
        *([f"{thread_id} has another order newest first"] if turned != [each.id for each in messages] else []),
    ]  # fmt: skip


async def _check_run(client: AsyncClient, kind: str, known: Run, on_thread: int, findings: Findings) -> None:
    run = await client.get_run(known.thread_id, known.id)
    if not run.status.terminal:
        findings.lost.append(f"{run.id} is still {run.status}")
    there = len(await client.runs(run.thread_id))
    if there != on_thread:
        findings.duplicated.append(f"{run.id} is on a thread with {there} runs, of which {on_thread} were requested")
    steps = await client.run_steps(run.thread_id, run.id, 100, SortOrder.ASC)
    messages = await client.messages(run.thread_id, 100, SortOrder.ASC, run_id=run.id)
    whole = [message for message in messages if message.status == "completed"]
    if _is_repeated(list(steps), whole):
        findings.repeated.append(f"{run.id} repeated a step: {[step.status for step in steps]}")
    if run.status is Status.COMPLETED and [text_of(message) for message in whole] != [ANSWERS[kind]]:
        findings.wrong.append(f"{run.id} says {[text_of(message) for message in whole]}")
    if run.status not in {Status.COMPLETED, Status.CANCELLED}:
        findings.wrong.append(f"{run.id} is {run.status}: {run.last_error}")


def _is_repeated(steps: list[RunStep], whole: list[Message]) -> bool:
    done = [step.type for step in steps if step.status == "completed"]
    return len(done) != len(set(done)) or len(whole) > 1


async def check_store(store: PostgresStore) -> tuple[Examined, list[Violation]]:
    """The findings of `runstead check`, after all processes have ended."""
    found: list[Violation] = []
    await store.start()
    try:
        return await examine(store, found.append, drained=True), found
    finally:
        await store.stop()
