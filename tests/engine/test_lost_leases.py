"""Workers that lost a run without noticing: their deltas are dropped, and never mix with those of the new owner."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from itertools import count
from random import Random

import pytest

from runstead.domain.access import DEFAULT_PROJECT
from runstead.domain.chat.assembly import MessageDraft
from runstead.domain.run import message_step, transitions, usage
from runstead.domain.run.change import Change
from runstead.domain.run.lifecycle import Signal
from runstead.engine.adapters import Adapters
from runstead.engine.execution.claimed_run import ClaimedRun, Interrupted, claim
from runstead.engine.execution.stop import end_unowned
from runstead.engine.resources.project import Project
from runstead.wire.assistant import AssistantRequest
from runstead.wire.event import Event, EventName
from runstead.wire.run import Run, RunRequest
from runstead.wire.thread import ThreadRequest
from tests.support.clock import FastClock
from tests.support.lossy import LossyBroker
from tests.support.reader import Reader
from tests.support.waiting import within
from tests.support.worlds import adapters_of


class Owner:
    """A worker that owns the run, or lost it and continues."""

    def __init__(self, hold: ClaimedRun) -> None:
        self.hold = hold
        self.published = ""
        self.lost = False
        self.message_id = ""
        self._words = (f"{hold.owner}:{number} " for number in count())

    async def begin(self) -> None:
        """Open a message."""
        adapters = self.hold.adapters
        self.message_id = adapters.new_id("msg")
        step_id = adapters.new_id("step")
        await self.hold.commit(lambda run: message_step.open_message(run, step_id, self.message_id, adapters.now()))
        self.hold.message = MessageDraft(self.message_id)

    async def publish(self) -> None:
        """Publish the next word of the message."""
        assert self.hold.message is not None
        word = next(self._words)
        self.published += word
        await self.hold.emit(EventName.MESSAGE_DELTA, [self.hold.message.add_text(word)])

    async def finish(self) -> None:
        """Complete the message and the run."""
        now = self.hold.adapters.now()

        def change(run: Run) -> Change:
            closed = message_step.close_message(run, self.hold.open_work, now, usage.NONE)
            return transitions.combine(closed, transitions.complete(run, now, usage.NONE))

        await self.hold.commit(change)


async def claimed(adapters: Adapters, run_id: str, name: str) -> Owner:
    hold = await claim(adapters, run_id, name)
    assert hold is not None
    return Owner(hold)


async def new_run(project: Project) -> Run:
    assistant = await project.create_assistant(AssistantRequest(model="some-model", instructions="Go on."))
    thread = await project.create_thread(ThreadRequest())
    return await project.create_run(thread.id, RunRequest(assistant_id=assistant.id))


async def followed(project: Project, run: Run) -> list[Event]:
    async with aclosing(project.run_events(run.thread_id, run.id)) as events:  # type: ignore[type-var]
        return [event async for event in events]


class Takeovers:
    """A run with three owners in turn, all of which continue to publish."""

    def __init__(self, adapters: Adapters, seed: int) -> None:
        self.random = Random(seed)
        self.owners: list[Owner] = []
        self.reading: list[asyncio.Task[list[Event]]] = []
        self._adapters = adapters
        self._project = Project(adapters, DEFAULT_PROJECT, None)

    async def play(self, readers: asyncio.TaskGroup) -> None:
        run = await new_run(self._project)
        for name in ("one", "two", "three"):
            self.reading.append(readers.create_task(followed(self._project, run)))
            self.owners.append(await claimed(self._adapters, run.id, name))
            await self.owners[-1].begin()
            for _ in range(self.random.randrange(30)):
                await self.random.choice(self.owners).publish()
                await asyncio.sleep(0)
                if self.random.random() < 0.1:
                    self.reading.append(readers.create_task(followed(self._project, run)))
            if name != "three":
                assert await end_unowned(self._adapters, run.id, lambda row: Signal.RECOVER)
        *zombies, last = self.owners
        await last.finish()
        for zombie in zombies:
            await zombie.publish()
            with pytest.raises(Interrupted):
                await zombie.finish()


@pytest.mark.parametrize("seed", range(40))
async def test_a_worker_that_lost_its_run_publishes_nothing_more(seed: int) -> None:
    adapters = adapters_of(broker=LossyBroker(seed, loss=[0.0, 0.1, 0.4][seed % 3]), clock=FastClock())
    takeovers = Takeovers(adapters, seed)
    async with AsyncExitStack() as stack, within():
        await adapters.store.start()
        stack.push_async_callback(adapters.store.stop)
        async with asyncio.TaskGroup() as readers:
            await takeovers.play(readers)
    written = {owner.message_id: owner.published for owner in takeovers.owners}
    for task in takeovers.reading:
        reader = Reader()
        reader.read(task.result())
        assert reader.names[-1] == EventName.RUN_COMPLETED
        assert set(reader.texts) == set(written)
        for message_id, text in reader.texts.items():
            assert written[message_id].startswith(text), "only the deltas of its own writer, without a gap"
