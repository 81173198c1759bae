"""A stream gives every event once, whatever happens to its connections."""

import asyncio

import pytest

from runstead.client._async.client import AsyncClient
from runstead.client._async.reconnect import MAX_FAILURES
from runstead.client._async.stream import AsyncRunStream
from runstead.wire.delta import MessageDelta
from runstead.wire.error import BadRequest, NotFound, ServerError, Unreachable
from runstead.wire.event import EventName
from runstead.wire.run import RunRequest, Status
from tests.client import samples
from tests.client._async.support import AsyncPauses
from tests.client.samples import ASSISTANT_ID, EVENTS_PATH, MESSAGE_ID, RUN_ID, RUNS_PATH, STEP_ID, THREAD_ID
from tests.client.wire_server import Answer, Cut, Script, Stream, WireServer, event

CREATED = event("thread.run.created", samples.run(), "1")
BEGUN = event("thread.message.created", samples.message(status="in_progress"), "2")
HEL = event("thread.message.delta", samples.delta("Hel"), "2.1")
LO = event("thread.message.delta", samples.delta("lo"), "2.2")
WRITTEN = event("thread.message.completed", samples.message(text="Hello", status="completed"), "3")
ENDED = event("thread.run.completed", samples.run("completed"), "4")
WHOLE = CREATED, BEGUN, HEL, LO, WRITTEN, ENDED
IDS = ["1", "2", "2.1", "2.2", "3", "4"]


@pytest.fixture
def stream(client: AsyncClient) -> AsyncRunStream:
    return client.create_streaming_run(THREAD_ID, RunRequest(assistant_id=ASSISTANT_ID))


async def test_events_come_typed_and_in_order(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE))
    events = [got async for got in stream]
    assert [got.id for got in events] == IDS
    assert events[0].event is EventName.RUN_CREATED
    assert isinstance(events[2].data, MessageDelta)
    assert stream.run is not None
    assert stream.run.status is Status.COMPLETED


async def test_nothing_is_sent_before_the_first_event_is_asked_for(stream: AsyncRunStream, server: WireServer) -> None:
    assert not server.seen
    await stream.aclose()
    assert not server.seen


async def test_a_refusal_is_raised_with_the_first_event(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Answer.error(400, "already has an active run"))
    with pytest.raises(BadRequest, match="active run"):
        await anext(stream)


@pytest.mark.parametrize("seen", range(1, len(WHOLE)))
async def test_a_cut_stream_goes_on_behind_its_last_event(
    stream: AsyncRunStream, server: WireServer, pauses: AsyncPauses, seen: int
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:seen], cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[seen:]))
    assert [got.id async for got in stream] == IDS
    assert server.seen[1].target == f"/v1{EVENTS_PATH}?after={IDS[seen - 1]}"
    assert len(pauses.taken) == 1


async def test_a_frame_that_was_cut_in_the_middle_is_asked_for_again(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, BEGUN[:20], cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[1:]))
    assert [got.id async for got in stream] == IDS


async def test_events_that_were_seen_are_not_repeated(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:4], cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE))
    assert [got.id async for got in stream] == IDS


async def test_a_stream_that_ends_without_done_in_the_middle_is_rejoined(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream(WHOLE[:3]))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[3:]))
    assert [got.id async for got in stream] == IDS


async def test_a_run_that_has_ended_needs_no_done(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream(WHOLE))
    assert [got.id async for got in stream] == IDS
    assert len(server.seen) == 1


async def test_a_restarting_server_is_waited_for(
    stream: AsyncRunStream, server: WireServer, pauses: AsyncPauses
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:2], cut=True))
    server.on("GET", EVENTS_PATH, *[Cut()] * 4, Answer.error(503), *[Cut()] * 4, Stream.of(*WHOLE[2:]))
    assert [got.id async for got in stream] == IDS
    assert len(pauses.taken) == 10


async def test_a_server_that_is_gone_is_given_up(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:2], cut=True))
    server.on("GET", EVENTS_PATH, Cut())
    with pytest.raises(Unreachable):
        await stream.drained()
    assert len(server.seen) == 1 + 3 * MAX_FAILURES


async def test_progress_is_a_new_chance(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True))
    parts = [Stream.of(event("thread.message.delta", samples.delta("x"), f"1.{n}"), cut=True) for n in range(1, 31)]
    server.on("GET", EVENTS_PATH, *parts, Stream.of(ENDED))
    assert len([got async for got in stream]) == 32


async def test_a_server_without_event_ids_cannot_be_rejoined_and_that_is_said(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(event("thread.run.created", samples.run()), cut=True))
    with pytest.raises(Unreachable, match=f"cannot be resumed.*{RUN_ID} goes on"):
        await stream.drained()
    assert len(server.seen) == 1


@pytest.mark.parametrize("cut", [Cut(), Stream.of(cut=True)], ids=["unanswered", "opened"])
async def test_a_stream_cut_before_the_run_is_known_is_not_tried_again_where_no_keys_are_kept(
    stream: AsyncRunStream, server: WireServer, cut: Script
) -> None:
    server.on("POST", RUNS_PATH, cut)
    with pytest.raises(Unreachable, match="look at the thread's runs"):
        await stream.drained()
    assert [seen.method for seen in server.seen].count("POST") == 1


async def test_a_stream_cut_before_the_run_is_known_is_tried_again_with_its_key(
    stream: AsyncRunStream, server: WireServer
) -> None:
    opened = Stream.of(cut=True, supports_idempotency=True)
    server.on("POST", RUNS_PATH, opened, Cut(), Stream.of(*WHOLE, supports_idempotency=True))
    assert [got.id async for got in stream] == IDS
    assert server.calls == [f"POST {RUNS_PATH}"] * 3
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 1


async def test_a_stream_that_never_tells_a_thing_is_given_up(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(cut=True, supports_idempotency=True))
    with pytest.raises(Unreachable):
        await stream.drained()
    assert len(server.seen) == 3


async def test_a_stream_behind_its_first_event_is_rejoined_not_begun_again(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True, supports_idempotency=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[1:]))
    assert [got.id async for got in stream] == IDS
    assert [seen.method for seen in server.seen] == ["POST", "GET"]


async def test_a_run_that_is_gone_is_not_waited_for(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True))
    server.on("GET", EVENTS_PATH, Answer.error(404, "No run found"))
    with pytest.raises(NotFound):
        await stream.drained()


async def test_following_a_run_from_its_start_survives_a_cut_before_the_first_event(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("GET", EVENTS_PATH, Stream.of(cut=True), Stream.of(*WHOLE))
    assert [got.id async for got in client.run_events(THREAD_ID, RUN_ID)] == IDS
    assert server.seen[1].target == f"/v1{EVENTS_PATH}"


async def test_an_error_event_is_raised(stream: AsyncRunStream, server: WireServer) -> None:
    trouble = {"error": {"message": "disk full", "type": "server_error", "param": None, "code": None}}
    server.on("POST", RUNS_PATH, Stream.of(CREATED, event("error", trouble)))
    with pytest.raises(ServerError, match="disk full"):
        await stream.drained()


async def test_an_unknown_event_is_passed_on(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, event("thread.run.pondering", {"n": 1}, "2"), ENDED))
    events = [got async for got in stream]
    assert events[1].event == "thread.run.pondering"
    assert bytes(events[1].data) == b'{"n": 1}'  # type: ignore[arg-type]


async def test_events_of_a_newer_server_are_read_without_what_is_new(
    stream: AsyncRunStream, server: WireServer
) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}, "brand_new": 1}}
    server.on("POST", RUNS_PATH, Stream.of(event("thread.run.created", samples.run(tools=[tool])), ENDED))
    assert len([got async for got in stream]) == 2


async def test_the_text_comes_as_it_is_written(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE))
    assert [text async for text in stream.text_deltas()] == ["Hel", "lo"]


async def test_text_missed_while_away_comes_with_the_whole_message(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, BEGUN, HEL, cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(WRITTEN, ENDED))
    assert [text async for text in stream.text_deltas()] == ["Hel", "lo"]


async def test_snapshots_grow_with_the_events(stream: AsyncRunStream, server: WireServer) -> None:
    stepped = event("thread.run.step.created", samples.step(), "1.1")
    server.on("POST", RUNS_PATH, Stream.of(CREATED, stepped, BEGUN, HEL, LO, WRITTEN, ENDED))
    texts = []
    async for _ in stream.with_snapshots():
        texts += [part.text.value for message in stream.messages for part in message.content]  # type: ignore[union-attr]
    assert texts == ["Hel", "Hello", "Hello", "Hello"]
    assert [message.id for message in stream.messages] == [MESSAGE_ID]
    assert [step.id for step in stream.steps] == [STEP_ID]


async def test_snapshots_are_kept_only_when_asked_for(stream: AsyncRunStream) -> None:
    with pytest.raises(ValueError, match="with_snapshots"):
        _ = stream.messages


async def test_the_final_run_is_read_from_the_stream(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE))
    assert (await stream.final_run()).status is Status.COMPLETED


async def test_a_stream_that_tells_of_no_run_has_no_final_run(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of())
    with pytest.raises(Unreachable, match="without an event about a run"):
        await stream.final_run()


async def test_leaving_a_stream_closes_its_connection(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, held=True))
    async with stream:
        assert (await anext(stream)).id == "1"
    assert await asyncio.to_thread(server.gone.wait, 5)


async def test_a_stream_that_was_read_gives_its_connection_back(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE))
    for _ in range(3):
        await client.run_events(THREAD_ID, RUN_ID).drained()
    assert server.connections == 1
