"""The checks after a storm: the stored runs against the acknowledged ones, and the invariants."""

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
from tests.chaos.ledger import Story
from tests.chaos.model import ANSWERS
from tests.support.worlds import text_of

__all__ = ["Judgement", "examined", "judge", "judge_webhook"]


class Judgement(Struct):
    """Descriptions of everything that is wrong."""

    lost: list[str] = field(default_factory=list)
    """Acknowledged runs that are gone or never ended."""
    doubled: list[str] = field(default_factory=list)
    """Runs that were created twice for one request."""
    repeated: list[str] = field(default_factory=list)
    """Runs that repeated a finished step, or wrote their answer twice."""
    wrong: list[str] = field(default_factory=list)
    """Runs whose text differs from their model's, or that failed."""

    undelivered: list[str] = field(default_factory=list)
    """Ends of runs that were not delivered to the webhook, or are in its outbox twice."""

    @property
    def violations(self) -> list[str]:
        """All descriptions."""
        return [*self.lost, *self.doubled, *self.repeated, *self.wrong, *self.undelivered]


async def judge(client: AsyncClient, stories: list[Story]) -> Judgement:
    """Read and check every acknowledged run."""
    judgement = Judgement()
    known = [story.run for story in stories if story.run is not None]
    asked = Counter(run.thread_id for run in known)
    for story in stories:
        assert story.run is not None
        try:
            await _judge(client, story.kind, story.run, asked[story.run.thread_id], judgement)
        except NotFound:
            judgement.lost.append(f"{story.run.id} was acknowledged and is not there")
    for earlier, later in pairwise(known):
        in_line = earlier.thread_id == later.thread_id
        if in_line and (later.started_at or 0) < (earlier.completed_at or 0):
            judgement.wrong.append(f"{later.id} started before {earlier.id}, its predecessor, had ended")
    return judgement


async def judge_webhook(
    client: AsyncClient, webhook_id: str, stories: list[Story], received: AbstractSet[str]
) -> list[str]:
    """Check a webhook: its outbox has every end once, and every delivered event was received."""
    deliveries = [each async for each in await client.webhook_deliveries(webhook_id, 100)]
    noted = Counter((each.run_id, str(each.event_type)) for each in deliveries)
    ends = [(story.run.id, f"thread.run.{story.run.status}") for story in stories if story.run is not None]
    return [
        *(f"the end of {end[0]} is {noted[end]} times in the outbox" for end in ends if noted[end] != 1),
        *(f"{each.id} is {each.status}: {each.error}" for each in deliveries if each.status == "failed"),
        *(f"{each.id} is marked as delivered, but was not received" for each in deliveries
          if each.status == "delivered" and each.id not in received),
    ]  # fmt: skip


async def _judge(client: AsyncClient, kind: str, known: Run, on_thread: int, judgement: Judgement) -> None:
    run = await client.get_run(known.thread_id, known.id)
    if not run.status.terminal:
        judgement.lost.append(f"{run.id} is still {run.status}")
    there = len(await client.runs(run.thread_id))
    if there != on_thread:
        judgement.doubled.append(f"{run.id} is on a thread with {there} runs, of which {on_thread} were asked for")
    steps = await client.run_steps(run.thread_id, run.id, 100, SortOrder.ASC)
    messages = await client.messages(run.thread_id, 100, SortOrder.ASC, run_id=run.id)
    whole = [message for message in messages if message.status == "completed"]
    if _is_repeated(list(steps), whole):
        judgement.repeated.append(f"{run.id} repeated a step: {[step.status for step in steps]}")
    if run.status is Status.COMPLETED and [text_of(message) for message in whole] != [ANSWERS[kind]]:
        judgement.wrong.append(f"{run.id} says {[text_of(message) for message in whole]}")
    if run.status not in {Status.COMPLETED, Status.CANCELLED}:
        judgement.wrong.append(f"{run.id} is {run.status}: {run.last_error}")


def _is_repeated(steps: list[RunStep], whole: list[Message]) -> bool:
    done = [step.type for step in steps if step.status == "completed"]
    return len(done) != len(set(done)) or len(whole) > 1


async def examined(store: PostgresStore) -> tuple[Examined, list[Violation]]:
    """The result of Runstead's own check, once all processes have ended."""
    found: list[Violation] = []
    await store.start()
    try:
        return await examine(store, found.append, drained=True), found
    finally:
        await store.stop()
