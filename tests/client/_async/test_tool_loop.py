"""`drive` and `take_up` take a run through all its rounds, whatever fails in a tool or on the connection."""

import threading
from typing import Any

import msgspec
import pytest

from runstead.client._async.client import AsyncClient
from runstead.wire.error import BadRequest, Unreachable, WaitTimeout
from runstead.wire.run import Run, RunRequest, Status
from tests.client import samples
from tests.client._async.support import AsyncPauses
from tests.client.samples import ASSISTANT_ID, EVENTS_PATH, OUTPUTS_PATH, RUN_ID, RUN_PATH, RUNS_PATH, THREAD_ID
from tests.client.wire_server import Disconnect, Response, Stream, WireServer, event

REQUEST = RunRequest(assistant_id=ASSISTANT_ID, tools=[])
CREATED = event("thread.run.created", samples.run(), "1")
QUEUED_AGAIN = event("thread.run.queued", samples.run(), "6")
ENDED = event("thread.run.completed", samples.run("completed"), "7")
END = Stream.of(QUEUED_AGAIN, ENDED)


def asks(*calls: dict[str, Any], id: str = "5") -> bytes:
    return event("thread.run.requires_action", samples.waiting_run(*calls), id)


def add(left: int, right: int = 1) -> int:
    """Add two numbers."""
    return left + right


def broken() -> None:
    raise RuntimeError("no power")


ADD = samples.call("add", '{"left": 2, "right": 3}')


def outputs(server: WireServer) -> dict[str, str]:
    """The last submitted outputs, by call."""
    sent = [seen for seen in server.seen if seen.path == f"/v1{OUTPUTS_PATH}"][-1]
    return {each["tool_call_id"]: each["output"] for each in sent.json["tool_outputs"]}


async def test_drive_calls_the_tools_and_returns_the_ended_run(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    run = await client.drive(THREAD_ID, REQUEST, [add])
    assert run.status is Status.COMPLETED
    assert outputs(server) == {"call_1": "5"}
    assert server.calls == [f"POST {RUNS_PATH}", f"POST {OUTPUTS_PATH}"]


async def test_drive_streaming_yields_the_events_of_all_rounds(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    again = Stream.of(asks(samples.call("add", '{"left": 7}', "call_2"), id="6"))
    server.on("POST", OUTPUTS_PATH, again, Stream.of(ENDED))
    async with client.drive_streaming(THREAD_ID, REQUEST, [add]) as stream:
        assert [got.id async for got in stream] == ["1", "5", "6", "7"]
        assert stream.run is not None
        assert stream.run.status is Status.COMPLETED
    assert outputs(server) == {"call_2": "8"}


async def test_a_run_without_tool_calls_is_driven_to_its_end(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, ENDED))
    assert (await client.drive(THREAD_ID, REQUEST, [add])).status is Status.COMPLETED


async def test_a_driven_run_has_the_given_tools_and_those_of_its_assistant(
    client: AsyncClient, server: WireServer
) -> None:
    old = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    other = {"type": "function", "function": {"name": "other", "parameters": {"type": "object", "properties": {}}}}
    tools = [{"type": "code_interpreter"}, old, other]
    server.on("GET", f"/assistants/{ASSISTANT_ID}", Response.of(samples.assistant(tools=tools)))
    server.on("POST", RUNS_PATH, Stream.of(CREATED, ENDED))
    await client.drive(THREAD_ID, RunRequest(assistant_id=ASSISTANT_ID), [add])
    sent = server.seen[1].json["tools"]
    assert [tool.get("function", {}).get("name") for tool in sent] == [None, "other", "add"]
    assert sent[2]["function"]["parameters"]["required"] == ["left"]


async def test_the_tools_of_the_request_are_not_changed(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, ENDED))
    await client.drive(THREAD_ID, REQUEST, [add])
    assert server.seen[0].json["tools"] == []


async def test_parallel_tool_calls_run_concurrently(client: AsyncClient, server: WireServer) -> None:
    together = threading.Barrier(3, timeout=10)

    def meet(name: str) -> str:
        together.wait()
        return f"{name} was there"

    calls = [samples.call("meet", f'{{"name": "{name}"}}', f"call_{name}") for name in "abc"]
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(*calls)))
    server.on("POST", OUTPUTS_PATH, END)
    await client.drive(THREAD_ID, REQUEST, [meet])
    assert outputs(server) == {f"call_{name}": f"{name} was there" for name in "abc"}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (samples.call("broken"), "RuntimeError: no power"),
        (samples.call("add", '{"left": "two"}'), "Invalid arguments: Expected `int`, got `str` - at `$.left`"),
        (samples.call("add", "{}"), "Invalid arguments: Object missing required field `left`"),
        (samples.call("add", '{"left": 1, "up": 2}'), "Invalid arguments: Object contains unknown field `up`"),
        (samples.call("add", '{"left": '), "Invalid arguments: Input data was truncated"),
        (samples.call("multiply"), "There is no tool 'multiply'. The tools are: add, broken."),
    ],
    ids=["exception", "wrong type", "missing", "unknown argument", "no JSON", "unknown tool"],
)
async def test_a_failed_tool_call_is_an_error_output_and_is_logged(
    client: AsyncClient,
    server: WireServer,
    caplog: pytest.LogCaptureFixture,
    call: dict[str, Any],
    said: str,
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(call)))
    server.on("POST", OUTPUTS_PATH, END)
    assert (await client.drive(THREAD_ID, REQUEST, [add, broken])).status is Status.COMPLETED
    assert msgspec.json.decode(outputs(server)["call_1"]) == {"error": said}
    assert said in caplog.text
    assert "call_1" in caplog.text


async def test_max_rounds_bounds_the_tool_calls(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    rounds = [Stream.of(asks(samples.call("add", '{"left": 1}', f"call_{n}"), id=str(n + 4))) for n in range(2, 9)]
    server.on("POST", OUTPUTS_PATH, *rounds)
    run = await client.drive(THREAD_ID, REQUEST, [add], max_rounds=3)
    assert run.status is Status.REQUIRES_ACTION
    assert server.calls.count(f"POST {OUTPUTS_PATH}") == 3


async def test_a_broken_stream_resumes_while_driving(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(asks(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    assert (await client.drive(THREAD_ID, REQUEST, [add])).status is Status.COMPLETED


async def test_lost_outputs_are_submitted_again_without_calling_the_tool_again(
    client: AsyncClient, server: WireServer
) -> None:
    calls = []

    def count() -> str:
        calls.append(1)
        return "once"

    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(samples.call("count"))))
    server.on("POST", OUTPUTS_PATH, Disconnect(), END)
    server.on("GET", EVENTS_PATH, Stream.of())
    assert (await client.drive(THREAD_ID, REQUEST, [count])).status is Status.COMPLETED
    assert calls == [1]
    assert server.calls.count(f"POST {OUTPUTS_PATH}") == 2


async def test_outputs_that_arrived_are_not_submitted_again_after_a_disconnect(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Disconnect())
    server.on("GET", EVENTS_PATH, Stream.of(QUEUED_AGAIN, ENDED))
    async with client.drive_streaming(THREAD_ID, REQUEST, [add]) as stream:
        assert [got.id async for got in stream] == ["1", "5", "6", "7"]
    assert server.calls.count(f"POST {OUTPUTS_PATH}") == 1


async def test_submissions_of_the_same_outputs_are_bounded(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Disconnect())
    server.on("GET", EVENTS_PATH, Stream.of())
    with pytest.raises(Unreachable, match="could not be submitted"):
        await client.drive(THREAD_ID, REQUEST, [add])


async def test_a_run_whose_outputs_another_client_submitted_goes_on(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Response.error(400, 'Runs in status "queued" do not accept tool outputs.'))
    server.on("GET", EVENTS_PATH, Stream.of(QUEUED_AGAIN, ENDED))
    assert (await client.drive(THREAD_ID, REQUEST, [add])).status is Status.COMPLETED


async def test_outputs_that_the_server_refuses_are_an_error(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Response.error(400, "too long"))
    server.on("GET", EVENTS_PATH, Stream.of())
    with pytest.raises(BadRequest, match="too long"):
        await client.drive(THREAD_ID, REQUEST, [add])


async def test_a_broken_stream_of_a_server_without_run_events_is_replaced_by_polling(
    client: AsyncClient, server: WireServer, pauses: AsyncPauses
) -> None:
    asked = event("thread.run.requires_action", samples.waiting_run(ADD))
    server.on("POST", RUNS_PATH, Stream.of(event("thread.run.created", samples.run()), asked))
    server.on("POST", OUTPUTS_PATH, Stream.of(event("thread.run.queued", samples.run()), cut=True))
    server.on("GET", RUN_PATH, Response.of(samples.run("in_progress")), Response.of(samples.run("completed")))
    async with client.drive_streaming(THREAD_ID, REQUEST, [add]) as stream:
        names = [got.event async for got in stream]
    assert names[-2:] == ["thread.run.queued", "thread.run.completed"]


async def test_take_up_answers_a_run_that_waits_for_outputs(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", RUN_PATH, Response.of(samples.waiting_run(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    run = await client.take_up(msgspec.convert(samples.run(), Run), [add])
    assert run.status is Status.COMPLETED
    assert outputs(server) == {"call_1": "5"}


async def test_take_up_yields_the_events_of_a_running_run_from_its_start(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("GET", RUN_PATH, Response.of(samples.run("in_progress")))
    server.on("GET", EVENTS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    async with client.take_up_streaming(msgspec.convert(samples.run(), Run), [add]) as stream:
        assert [got.id async for got in stream] == ["1", "5", "6", "7"]


async def test_take_up_returns_an_ended_run(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", RUN_PATH, Response.of(samples.run("completed")))
    run = await client.take_up(msgspec.convert(samples.run(), Run), [add])
    assert run.status is Status.COMPLETED


async def test_drive_raises_wait_timeout_at_its_deadline(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream([CREATED], pings=True))
    with pytest.raises(WaitTimeout, match=f"After 0.2 s run {RUN_ID} was queued .* It goes on."):
        await client.drive(THREAD_ID, REQUEST, [add], timeout=0.2)


async def test_the_deadline_bounds_slow_tools(client: AsyncClient, server: WireServer) -> None:
    late = threading.Event()

    def slow() -> None:
        late.wait(10)

    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(samples.call("slow"))))
    with pytest.raises(WaitTimeout, match=f"After 0.2 s run {RUN_ID} was requires_action"):
        await client.drive(THREAD_ID, REQUEST, [slow], timeout=0.2)
    late.set()
