"""A stream yields every event exactly once, however often its connection breaks."""

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
from tests.client.wire_server import Disconnect, Response, Script, Stream, WireServer, event

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


async def test_events_are_typed_and_in_order(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE))
    events = [got async for got in stream]
    assert [got.id for got in events] == IDS
    assert events[0].event is EventName.RUN_CREATED
    assert isinstance(events[2].data, MessageDelta)
    assert stream.run is not None
    assert stream.run.status is Status.COMPLETED


async def test_the_request_is_sent_when_the_first_event_is_asked_for(
    stream: AsyncRunStream, server: WireServer
) -> None:
    assert not server.seen
    await stream.aclose()
    assert not server.seen


async def test_an_error_response_is_raised_in_place_of_the_first_event(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Response.error(400, "already has an active run"))
    with pytest.raises(BadRequest, match="active run"):
        await anext(stream)


@pytest.mark.parametrize("seen", range(1, len(WHOLE)))
async def test_a_broken_stream_resumes_after_its_last_event(
    stream: AsyncRunStream, server: WireServer, pauses: AsyncPauses, seen: int
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:seen], cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[seen:]))
    assert [got.id async for got in stream] == IDS
    assert server.seen[1].target == f"/v1{EVENTS_PATH}?after={IDS[seen - 1]}"
    assert len(pauses.taken) == 1


async def test_an_event_that_arrived_in_part_is_read_again(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, BEGUN[:20], cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[1:]))
    assert [got.id async for got in stream] == IDS


async def test_events_that_the_server_repeats_after_a_resume_are_dropped(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:4], cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE))
    assert [got.id async for got in stream] == IDS


async def test_a_stream_that_ends_early_without_done_is_resumed(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream(WHOLE[:3]))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[3:]))
    assert [got.id async for got in stream] == IDS


async def test_a_stream_of_an_ended_run_needs_no_done(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream(WHOLE))
    assert [got.id async for got in stream] == IDS
    assert len(server.seen) == 1


async def test_a_stream_survives_a_restart_of_the_server(
    stream: AsyncRunStream, server: WireServer, pauses: AsyncPauses
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:2], cut=True))
    server.on("GET", EVENTS_PATH, *[Disconnect()] * 4, Response.error(503), *[Disconnect()] * 4, Stream.of(*WHOLE[2:]))
    assert [got.id async for got in stream] == IDS
    assert len(pauses.taken) == 10


async def test_a_stream_fails_after_too_many_failed_connections(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE[:2], cut=True))
    server.on("GET", EVENTS_PATH, Disconnect())
    with pytest.raises(Unreachable):
        await stream.drained()
    assert len(server.seen) == 1 + 3 * MAX_FAILURES


async def test_each_event_resets_the_count_of_failed_connections(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True))
    parts = [Stream.of(event("thread.message.delta", samples.delta("x"), f"1.{n}"), cut=True) for n in range(1, 31)]
    server.on("GET", EVENTS_PATH, *parts, Stream.of(ENDED))
    assert len([got async for got in stream]) == 32


async def test_a_stream_without_event_ids_is_not_resumed(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(event("thread.run.created", samples.run()), cut=True))
    with pytest.raises(Unreachable, match=f"cannot be resumed.*{RUN_ID} goes on"):
        await stream.drained()
    assert len(server.seen) == 1


@pytest.mark.parametrize("cut", [Disconnect(), Stream.of(cut=True)], ids=["no response", "no event"])
async def test_a_stream_that_breaks_before_its_first_event_is_not_retried_without_idempotency_keys_on_the_server(
    stream: AsyncRunStream, server: WireServer, cut: Script
) -> None:
    server.on("POST", RUNS_PATH, cut)
    with pytest.raises(Unreachable, match="look at the thread's runs"):
        await stream.drained()
    assert [seen.method for seen in server.seen].count("POST") == 1


async def test_a_stream_that_breaks_before_its_first_event_is_retried_with_its_key(
    stream: AsyncRunStream, server: WireServer
) -> None:
    opened = Stream.of(cut=True, supports_idempotency=True)
    server.on("POST", RUNS_PATH, opened, Disconnect(), Stream.of(*WHOLE, supports_idempotency=True))
    assert [got.id async for got in stream] == IDS
    assert server.calls == [f"POST {RUNS_PATH}"] * 3
    assert len({seen.headers["idempotency-key"] for seen in server.seen}) == 1


async def test_retries_of_a_stream_without_events_are_bounded(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(cut=True, supports_idempotency=True))
    with pytest.raises(Unreachable):
        await stream.drained()
    assert len(server.seen) == 3


async def test_after_its_first_event_a_stream_is_resumed_and_the_call_not_repeated(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True, supports_idempotency=True))
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE[1:]))
    assert [got.id async for got in stream] == IDS
    assert [seen.method for seen in server.seen] == ["POST", "GET"]


async def test_a_stream_of_a_deleted_run_is_not_resumed(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True))
    server.on("GET", EVENTS_PATH, Response.error(404, "No run found"))
    with pytest.raises(NotFound):
        await stream.drained()


async def test_run_events_from_the_start_survive_a_disconnect_before_the_first_event(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("GET", EVENTS_PATH, Stream.of(cut=True), Stream.of(*WHOLE))
    assert [got.id async for got in client.run_events(THREAD_ID, RUN_ID)] == IDS
    assert server.seen[1].target == f"/v1{EVENTS_PATH}"


async def test_an_error_event_is_raised(stream: AsyncRunStream, server: WireServer) -> None:
    failure = {"error": {"message": "disk full", "type": "server_error", "param": None, "code": None}}
    server.on("POST", RUNS_PATH, Stream.of(CREATED, event("error", failure)))
    with pytest.raises(ServerError, match="disk full"):
        await stream.drained()


async def test_an_unknown_event_is_yielded_with_its_raw_data(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, event("thread.run.pondering", {"n": 1}, "2"), ENDED))
    events = [got async for got in stream]
    assert events[1].event == "thread.run.pondering"
    assert bytes(events[1].data) == b'{"n": 1}'  # type: ignore[arg-type]


async def test_unknown_fields_in_events_are_ignored(stream: AsyncRunStream, server: WireServer) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {}, "brand_new": 1}}
    server.on("POST", RUNS_PATH, Stream.of(event("thread.run.created", samples.run(tools=[tool])), ENDED))
    assert len([got async for got in stream]) == 2


async def test_text_deltas_yields_each_piece(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE))
    assert [text async for text in stream.text_deltas()] == ["Hel", "lo"]


async def test_text_that_was_missed_is_taken_from_the_completed_message(
    stream: AsyncRunStream, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, BEGUN, HEL, cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(WRITTEN, ENDED))
    assert [text async for text in stream.text_deltas()] == ["Hel", "lo"]


async def test_snapshots_are_updated_with_each_event(stream: AsyncRunStream, server: WireServer) -> None:
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


async def test_final_run_reads_to_the_end(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(*WHOLE))
    assert (await stream.final_run()).status is Status.COMPLETED


async def test_final_run_fails_on_a_stream_without_a_run(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of())
    with pytest.raises(Unreachable, match="without an event about a run"):
        await stream.final_run()


async def test_leaving_a_stream_early_closes_its_connection(stream: AsyncRunStream, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, held=True))
    async with stream:
        assert (await anext(stream)).id == "1"
    assert await asyncio.to_thread(server.gone.wait, 5)


async def test_a_stream_that_was_read_to_its_end_releases_its_connection(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("GET", EVENTS_PATH, Stream.of(*WHOLE))
    for _ in range(3):
        await client.run_events(THREAD_ID, RUN_ID).drained()
    assert server.connections == 1
