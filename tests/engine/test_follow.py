"""Following a run: every reader gets every event once, in order, to the end, even if the broker loses some."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from runstead.engine.follow import follow
from runstead.llm.scripted import Gate, Turn, call, fail, say
from runstead.wire.codec.run_parts import Settings, encode_settings
from runstead.wire.error import BadRequest, NotFound, RunsteadError
from runstead.wire.event import EVENT_DATA, START, Event, EventName, Position, RawEvent, decode_event
from runstead.wire.run import Run
from tests.support.clock import FastClock
from tests.support.flaky import FlakyStore
from tests.support.lossy import LossyBroker
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, names, world

TEXT = say(*"abcdefgh")


def stored(events: list[Event]) -> list[tuple[str, str | None]]:
    """The names and positions of the stored events."""
    return [(str(event.event), event.id) for event in events if "delta" not in event.event]


async def all_stored(here: World, run: Run) -> list[tuple[str, str | None]]:
    events = await here.adapters.store.read(lambda tx: tx.events.after(run.id, 0, 1000))
    return [(str(event.name), str(event.at)) for event in events]


def shown(run: Run, events: Sequence[RawEvent]) -> list[RawEvent]:
    """The events as a reader gets them: those about the run show all of it."""
    known = Settings(encode_settings(run))
    return [
        event._replace(data=known.whole(event.data)) if EVENT_DATA[event.name] is Run else event for event in events
    ]


class Listener:
    """A reader that follows a run to its end, with a new stream after every pause."""

    def __init__(self, here: World, run: Run, after: str | None, patience: float) -> None:
        self.after = after
        self.events: list[Event] = []
        self._here = here
        self._run = run
        self._patience = patience

    async def listen(self) -> None:
        after = self.after
        while not self.events or not _last(self.events):
            async with within():
                stream = self._here.project.run_events(self._run.thread_id, self._run.id, after)
                async for event in stream:
                    self.events.append(event)
                    after = event.id
                    await asyncio.sleep(self._patience)
            await asyncio.sleep(0.001)  # a stream may end without ever waiting
            if after == self.after and (await self._here.now(self._run)).status.terminal:
                return

    def check(self, whole: list[tuple[str, str | None]]) -> None:
        at = Position.parse(self.after) if self.after else None
        Reader(at).read(self.events)
        expected = [event for event in whole if at is None or Position.parse(event[1] or "") > at]
        assert stored(self.events) == expected


def _last(events: list[Event]) -> bool:
    return isinstance(events[-1].data, Run) and events[-1].data.status.terminal


@pytest.mark.parametrize("seed", range(40))
async def test_every_reader_gets_every_event_once_even_if_the_broker_loses_some(seed: int, tmp_path: Path) -> None:
    random = Random(seed)
    calls: list[Turn] = [[TEXT, call("weather", city="Rome")], [call("weather", city="Rome"), call("weather")]]
    ends: list[Turn] = [TEXT, [TEXT, fail("Broken.")]]
    turns = [*random.choices(calls, k=random.randrange(3)), random.choice(ends)]
    broker = LossyBroker(seed, loss=random.choice([0.0, 0.2, 0.5]))
    path = tmp_path / "rs.db" if seed % 2 else ":memory:"
    async with world(turns, path=path, broker=broker, clock=FastClock()) as here:
        run = await here.start(tools=[WEATHER])
        listeners: list[Listener] = []
        positions: list[str | None] = [None]
        async with asyncio.TaskGroup() as readers, within():

            def begin() -> None:
                listeners.append(Listener(here, run, random.choice(positions), random.choice([0, 0, 0.002])))
                readers.create_task(listeners[-1].listen())

            while not (await here.now(run)).status.terminal:
                begin()
                async for event in here.project.run_events(run.thread_id, run.id, positions[-1]):
                    positions.append(event.id)
                    if random.random() < 0.1:
                        begin()
                now = await here.now(run)
                if now.status == "requires_action":
                    await here.submit(now)
            begin()
        whole = await all_stored(here, run)
    for reader in listeners:
        reader.check(whole)


async def test_events_received_after_a_gap_follow_the_missing_ones() -> None:
    gate = Gate()
    async with world([[say("Half"), gate, say(" answer")]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        known = list(await here.adapters.store.read(lambda tx: tx.events.after(run.id, 0, 100)))
        delta = RawEvent(Position(known[-1].at.seq, 1), EventName.MESSAGE_DELTA, b"{}")

        async def live() -> AsyncIterator[Sequence[RawEvent] | None]:
            yield [*known[:3], known[-1], delta]  # the broker lost those between
            await asyncio.Event().wait()

        received: list[RawEvent] = []
        async with aclosing(follow(here.adapters, run, START, live(), replay=False)) as batches, within():
            while delta not in received:
                received += await anext(batches)
        assert received == shown(run, [*known, delta])


async def test_a_reader_does_not_wait_for_an_event_that_is_not_stored() -> None:
    gate = Gate()
    async with world([[say("Half"), gate, say(" answer")]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        known = list(await here.adapters.store.read(lambda tx: tx.events.after(run.id, 0, 100)))
        asked_again = asyncio.Event()

        async def live() -> AsyncIterator[Sequence[RawEvent] | None]:
            yield [RawEvent(Position(known[-1].at.seq + 9), EventName.RUN_COMPLETED, b"{}")]
            asked_again.set()
            gate.open()
            await here.ended(run)
            yield None

        async with aclosing(follow(here.adapters, run, START, live())) as batches, within():
            received = [event async for batch in batches for event in batch]
        assert asked_again.is_set(), "the reader does not poll the store"
        assert [event.at.seq for event in received if not event.at.delta] == list(range(1, known[-1].at.seq + 4))


async def test_a_reader_survives_an_outage_of_the_store() -> None:
    gate = Gate()
    async with world([[say("Half"), gate, say(" answer")]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        store = FlakyStore(here.adapters.store, 1, part=1.0)

        async def live() -> AsyncIterator[Sequence[RawEvent] | None]:
            store.failing = True
            yield None
            gate.open()
            await here.ended(run)
            yield None

        adapters = replace(here.adapters, store=store)
        async with (
            aclosing(follow(adapters, run, START, live())) as batches,
            within(),
            asyncio.TaskGroup() as reading,
        ):
            received = list(await anext(batches))
            rest = reading.create_task(_all(batches))
            await until(lambda: store.failures >= 3)
            store.failing = False
            received += await rest
        Reader().read([decode_event(event.name, event.data, str(event.at)) for event in received])
        assert received[-1].name == EventName.RUN_COMPLETED


async def _all(batches: AsyncIterator[Sequence[RawEvent]]) -> list[RawEvent]:
    return [event async for batch in batches for event in batch]


async def test_an_error_of_the_store_at_the_start_is_raised() -> None:
    async with world(["Hello"]) as here:
        run = await here.ended(await here.start())
        store = FlakyStore(here.adapters.store, 1, part=1.0)
        store.failing = True

        async def live() -> AsyncIterator[Sequence[RawEvent] | None]:
            await asyncio.Event().wait()
            yield None

        with pytest.raises(RunsteadError, match="disk is full"):
            await _all(follow(replace(here.adapters, store=store), run, START, live()))


@pytest.mark.parametrize("lost", [0, 2])
async def test_a_stream_ends_at_its_first_pause_even_for_a_late_reader(lost: int) -> None:
    async with world([call("weather"), "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.ended(await here.submit(run))
        known = list(await here.adapters.store.read(lambda tx: tx.events.after(run.id, 0, 100)))
        assert known[5].name == EventName.RUN_REQUIRES_ACTION
        assert len(known) > 6

        async def live() -> AsyncIterator[Sequence[RawEvent] | None]:
            yield known[lost:]
            await asyncio.Event().wait()

        async with aclosing(follow(here.adapters, run, START, live(), replay=False)) as batches, within():
            received = [event async for batch in batches for event in batch]
        assert [event for event in received if not event.at.delta] == shown(run, known[:6])
        assert [str(event.at) for event in received if event.at.delta] == ["5.1"]


async def test_a_new_reader_gets_the_deltas_of_an_open_message() -> None:
    gate = Gate()
    async with world([[say("Half", " an"), gate, say(" answer")]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        stream = here.project.run_events(run.thread_id, run.id)
        events = [await anext(stream) for _ in range(9)]
        assert names(events)[-2:] == ["message.in_progress", "message.delta"]
        assert [event.id for event in events[-2:]] == ["7.1", "7.2"]
        gate.open()
        events += [event async for event in stream]
        Reader().read(events)
        assert [event.id for event in events[9:]] == ["7.3", "8", "9", "10"]


async def test_a_reader_resumes_in_the_middle_of_a_message() -> None:
    gate = Gate()
    async with world([[say("Half", " an"), gate, say(" answer")]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        stream = here.project.run_events(run.thread_id, run.id, "7.1")
        events = [await anext(stream)]
        gate.open()
        events += [event async for event in stream]
        assert [event.id for event in events] == ["7.2", "7.3", "8", "9", "10"]


async def test_a_completed_message_has_no_deltas() -> None:
    async with world([say("Half", " an answer")]) as here:
        run = await here.ended(await here.start())
        assert [event.id for event in await here.events(run, "7.1")] == ["8", "9", "10"]
        assert "thread.message.delta" not in {event.event for event in await here.events(run)}


async def test_a_run_that_was_never_streamed_can_be_followed() -> None:
    async with world([[call("weather"), call("weather")], "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        await here.submit(run)
        await here.ended(run)
        events = await here.events(run)
        Reader().read(events)
        assert stored(events) == await all_stored(here, run)
        assert names(events).count("run.requires_action") == 1, "the stream does not end at a pause that is over"
        assert names(events)[-1] == "run.completed"


async def test_a_stream_ends_at_requires_action() -> None:
    async with world([call("weather"), "Sunny."]) as here:
        run = await here.ended(await here.start(tools=[WEATHER]))
        events = await here.events(run)
        assert names(events)[-1] == "run.requires_action"
        assert await here.events(run, events[-1].id) == []


async def test_a_run_can_be_followed_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "rs.db"
    async with world(["Hello"], path=path) as here:
        run = await here.ended(await here.start())
        before = await here.events(run)
    async with world(path=path) as here:
        assert await here.events(run) == before
        assert await here.events(run, before[3].id) == before[4:]


async def test_long_histories_are_read_in_pages() -> None:
    rounds = 90
    turns: list[Turn] = [*[call("weather")] * rounds, "Done."]
    async with world(turns) as here:
        run = await here.start(tools=[WEATHER])
        for _ in range(rounds):
            await here.submit(await here.ended(run))
        await here.ended(run)
        events = await here.events(run)
        Reader().read(events)
        assert len(events) > 500
        assert await here.events(run, events[-2].id) == events[-1:]


@pytest.mark.parametrize("after", ["", "x", "1.", ".1", "-1", "1.2.3", "١", "9" * 40])
async def test_an_invalid_position_is_refused(after: str) -> None:
    async with world(["Hello"]) as here:
        run = await here.ended(await here.start())
        with pytest.raises(BadRequest) as refused:
            await here.events(run, after)
        assert refused.value.message.startswith(f"Invalid 'after': '{after}'. Expected the id of an event")
        assert (refused.value.param, refused.value.code) == ("after", "invalid_value")


async def test_a_position_after_the_end_has_no_events() -> None:
    async with world(["Hello"]) as here:
        run = await here.ended(await here.start())
        assert await here.events(run, "999") == []
        assert await here.events(run, "999.5") == []


async def test_an_unknown_run_is_not_found() -> None:
    async with world(["Hello"]) as here:
        run = await here.ended(await here.start())
        with pytest.raises(NotFound, match="No run found with id 'run_x'"):
            await anext(here.project.run_events(run.thread_id, "run_x"))
