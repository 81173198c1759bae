"""What is left when the storm is over, held against what was acknowledged, and against what must always be true."""

from msgspec import Struct, field

from runstead.client import AsyncClient
from runstead.domain.record import Violation
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

__all__ = ["Judgement", "examined", "judge"]


class Judgement(Struct):
    """Everything that is wrong, in words; nothing, if all is well."""

    lost: list[str] = field(default_factory=list)
    """Runs that were acknowledged, and are gone or never ended."""
    doubled: list[str] = field(default_factory=list)
    """Runs that were asked for once, and are there twice."""
    repeated: list[str] = field(default_factory=list)
    """Runs that did a finished step again, or wrote their answer twice."""
    wrong: list[str] = field(default_factory=list)
    """Runs that say something else than their model."""

    @property
    def violations(self) -> list[str]:
        """All of it."""
        return [*self.lost, *self.doubled, *self.repeated, *self.wrong]


async def judge(client: AsyncClient, stories: list[Story]) -> Judgement:
    """Read every acknowledged run back."""
    judgement = Judgement()
    for story in stories:
        assert story.run is not None
        try:
            await _judge(client, story.kind, story.run, judgement)
        except NotFound:
            judgement.lost.append(f"{story.run.id} was acknowledged and is not there")
    return judgement


async def _judge(client: AsyncClient, kind: str, known: Run, judgement: Judgement) -> None:
    run = await client.get_run(known.thread_id, known.id)
    if not run.status.terminal:
        judgement.lost.append(f"{run.id} is still {run.status}")
    if len(await client.runs(run.thread_id)) != 1:
        judgement.doubled.append(f"{run.id} is not alone on its thread")
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
    """What the product's own check says once all processes have ended."""
    found: list[Violation] = []
    await store.start()
    try:
        return await examine(store, found.append, drained=True), found
    finally:
        await store.stop()
