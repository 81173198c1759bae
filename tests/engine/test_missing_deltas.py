"""The deltas of a message, and of calls, add up to the whole for each reader, whatever the broker has lost."""

from collections.abc import Sequence

import pytest

import runstead
from runstead.broker.inprocess import InProcessBroker
from runstead.engine.missing_deltas import MissingDeltas
from runstead.llm.scripted import Gate, Turn, call, fail, refuse, say
from runstead.wire.delta import (
    FunctionToolCallDelta,
    MessageDelta,
    RefusalPartDelta,
    RunStepDelta,
    TextPartDelta,
    ToolCallsDelta,
)
from runstead.wire.event import START, Event, EventName, Position, RawEvent
from runstead.wire.message import Message
from runstead.wire.run import Run, RunRequest
from runstead.wire.struct import UNSET
from tests.support.reader import Reader
from tests.support.serving import served_at
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, names, text_of, world

TEXT = 'Ein "Wort", ein \U0001f600, ein\n\u2028Ende: '
PIECES = [TEXT, "é", " Rest", "\\", "."]


class ForgetfulBroker(InProcessBroker):
    """Loses the deltas after the first `passed` ones behind each stored event."""

    def __init__(self, passed: int) -> None:
        super().__init__(silence=1000)  # a read of the store in between could skip deltas that wait
        self.passed = passed

    async def publish(self, run_id: str, events: Sequence[RawEvent]) -> None:
        await super().publish(run_id, [event for event in events if event.at.delta <= self.passed])


async def streamed(here: World) -> list[Event]:
    """The events of a new run that a stream follows from its creation."""
    thread, assistant = await here.thread("Hi"), await here.assistant([WEATHER])
    async with within():
        request = RunRequest(assistant_id=assistant)
        return [event async for event in here.project.create_streaming_run(thread, request)]


def deltas(events: Sequence[Event]) -> list[MessageDelta]:
    return [event.data for event in events if isinstance(event.data, MessageDelta)]


def added(events: Sequence[Event]) -> str:
    """The text, for a program that only adds up the deltas."""
    parts = [part for delta in deltas(events) for part in delta.delta.content or ()]
    assert all(isinstance(part, TextPartDelta) for part in parts)
    texts = [part.text for part in parts if isinstance(part, TextPartDelta) and part.text is not UNSET]
    assert [text.annotations for text in texts] == [[], *[UNSET] * (len(texts) - 1)]
    return "".join(text.value for text in texts if text.value is not UNSET)


@pytest.mark.parametrize("passed", [0, 1, 3, 4, 5])
async def test_a_reader_that_misses_deltas_gets_the_rest_in_one(passed: int) -> None:
    async with world([say(*PIECES)], broker=ForgetfulBroker(passed)) as here:
        events = await streamed(here)
    Reader().read(events)
    assert added(events) == "".join(PIECES)
    assert len(deltas(events)) == min(passed + 1, len(PIECES))
    positions = [Position.parse(event.id or "") for event in events]
    assert positions == sorted(set(positions))
    [place] = [place for place, event in enumerate(events) if event.event == EventName.MESSAGE_COMPLETED]
    assert isinstance(events[place - 1].data, MessageDelta)


@pytest.mark.parametrize("passed", [0, 2, 200])
async def test_a_long_message_is_counted_in_portions(passed: int) -> None:
    words = [f" {number}" for number in range(300)]
    async with world([say(*words)], broker=ForgetfulBroker(passed)) as here:
        events = await streamed(here)
    assert added(events) == "".join(words)
    assert len(deltas(events)) == passed + 1


async def test_all_parts_of_a_message_are_completed_and_of_one_that_is_cut_too() -> None:
    async with world([[say("No", "pe."), refuse(" I will not"), fail("Broken.")]], broker=ForgetfulBroker(2)) as here:
        events = await streamed(here)
        Reader().read(events)
        assert names(events)[-4:] == ["message.delta", "message.incomplete", "run.step.failed", "run.failed"]
        _, _, last = deltas(events)
        assert last.delta.content == [RefusalPartDelta(index=1, refusal=" I will not")]
        [message] = [event.data for event in events if event.event == EventName.MESSAGE_INCOMPLETE]
        assert isinstance(message, Message)
        assert text_of(message) == "Nope."


@pytest.mark.parametrize(("passed", "given"), [(0, 1), (1, 2), (3, 4), (4, 5), (99, 6)])
async def test_calls_are_whole_before_the_client_is_asked(passed: int, given: int) -> None:
    turn: Turn = [call("weather", '{"city": "Rome"}'), call("weather", '{"city": "Oslo"}')]
    async with world([turn], broker=ForgetfulBroker(passed)) as here:
        events = await streamed(here)
    Reader().read(events)
    assert events[-1].event == EventName.RUN_REQUIRES_ACTION
    calls: dict[int, list[str]] = {}
    for event in events:
        for part in _calls(event):
            id, name, arguments = calls.setdefault(part.index, ["", "", ""])
            assert part.function is not UNSET
            more = part.id or "", part.function.name or "", part.function.arguments or ""
            calls[part.index] = [id + more[0], name + more[1], arguments + more[2]]
    run = events[-1].data
    assert isinstance(run, Run)
    assert run.required_action is not None
    asked = run.required_action.submit_tool_outputs.tool_calls
    whole = [[call.id, call.function.name, call.function.arguments] for call in asked]
    assert [calls[index] for index in sorted(calls)] == whole
    assert len([event for event in events if event.event == EventName.STEP_DELTA]) == given


def _calls(event: Event) -> Sequence[FunctionToolCallDelta]:
    if not isinstance(event.data, RunStepDelta):
        return ()
    details = event.data.delta.step_details
    assert isinstance(details, ToolCallsDelta)
    return [call for call in details.tool_calls or () if isinstance(call, FunctionToolCallDelta)]


async def test_the_clients_text_stream_has_each_character_once() -> None:
    async with (
        world([say(*PIECES)], broker=ForgetfulBroker(2)) as here,
        served_at(here.application) as url,
        runstead.connect_async(url) as client,
        within(),
    ):
        request = RunRequest(assistant_id=await here.assistant())
        async with client.create_streaming_run(await here.thread("Hi"), request) as stream:
            texts = [text async for text in stream.text_deltas()]
    assert texts == [*PIECES[:2], "".join(PIECES[2:])]


async def test_a_stream_that_begins_in_the_middle_of_a_message_adds_nothing_to_it() -> None:
    """It does not know what its reader was given before."""
    gate = Gate()
    async with world([[say("Half", " an"), gate, say(" answer")]], broker=ForgetfulBroker(2)) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
            stream = here.project.run_events(run.thread_id, run.id, "7.1")
            events = [await anext(stream)]
            gate.open()
            events += [event async for event in stream]
        assert [event.id for event in events] == ["7.2", "8", "9", "10"]


async def test_deltas_that_cannot_be_read_are_passed_on_and_add_nothing() -> None:
    missing = MissingDeltas(START, live=True)
    created = RawEvent(Position(1), EventName.MESSAGE_CREATED, b'{"id":"msg_1"}')
    broken = RawEvent(Position(1, 1), EventName.MESSAGE_DELTA, b"{")
    ended = RawEvent(
        Position(2), EventName.MESSAGE_COMPLETED, b'{"id":"msg_1","content":[{"type":"text","text":{"value":"Hi"}}]}'
    )
    assert list(missing.added_to([created, broken, ended])) == [created, broken, ended]
    assert len(MissingDeltas(START, live=True).added_to([created, ended])) == 3
