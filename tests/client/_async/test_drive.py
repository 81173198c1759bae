"""A run is driven through all its rounds with Python functions, whatever goes wrong in them or between us."""

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
from tests.client.wire_server import Answer, Cut, Stream, WireServer, event

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
    """The last outputs that were handed in, by call."""
    sent = [seen for seen in server.seen if seen.path == f"/v1{OUTPUTS_PATH}"][-1]
    return {each["tool_call_id"]: each["output"] for each in sent.json["tool_outputs"]}


async def test_the_calls_are_made_and_the_run_goes_on_to_its_end(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    run = await client.drive(THREAD_ID, REQUEST, [add])
    assert run.status is Status.COMPLETED
    assert outputs(server) == {"call_1": "5"}
    assert server.calls == [f"POST {RUNS_PATH}", f"POST {OUTPUTS_PATH}"]


async def test_the_events_of_all_rounds_are_one_stream(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    again = Stream.of(asks(samples.call("add", '{"left": 7}', "call_2"), id="6"))
    server.on("POST", OUTPUTS_PATH, again, Stream.of(ENDED))
    async with client.drive_streaming(THREAD_ID, REQUEST, [add]) as stream:
        assert [got.id async for got in stream] == ["1", "5", "6", "7"]
        assert stream.run is not None
        assert stream.run.status is Status.COMPLETED
    assert outputs(server) == {"call_2": "8"}


async def test_a_run_without_calls_is_just_followed(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, ENDED))
    assert (await client.drive(THREAD_ID, REQUEST, [add])).status is Status.COMPLETED


async def test_the_run_has_these_tools_besides_those_of_its_assistant(client: AsyncClient, server: WireServer) -> None:
    old = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    other = {"type": "function", "function": {"name": "other", "parameters": {"type": "object", "properties": {}}}}
    tools = [{"type": "code_interpreter"}, old, other]
    server.on("GET", f"/assistants/{ASSISTANT_ID}", Answer.of(samples.assistant(tools=tools)))
    server.on("POST", RUNS_PATH, Stream.of(CREATED, ENDED))
    await client.drive(THREAD_ID, RunRequest(assistant_id=ASSISTANT_ID), [add])
    sent = server.seen[1].json["tools"]
    assert [tool.get("function", {}).get("name") for tool in sent] == [None, "other", "add"]
    assert sent[2]["function"]["parameters"]["required"] == ["left"]


async def test_tools_that_the_request_names_are_left_alone(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, ENDED))
    await client.drive(THREAD_ID, REQUEST, [add])
    assert server.seen[0].json["tools"] == []


async def test_parallel_calls_are_made_at_the_same_time(client: AsyncClient, server: WireServer) -> None:
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
async def test_what_goes_wrong_is_told_to_the_model_and_the_log(
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


async def test_rounds_are_bounded(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    rounds = [Stream.of(asks(samples.call("add", '{"left": 1}', f"call_{n}"), id=str(n + 4))) for n in range(2, 9)]
    server.on("POST", OUTPUTS_PATH, *rounds)
    run = await client.drive(THREAD_ID, REQUEST, [add], max_rounds=3)
    assert run.status is Status.REQUIRES_ACTION
    assert server.calls.count(f"POST {OUTPUTS_PATH}") == 3


async def test_a_stream_cut_between_is_rejoined(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, cut=True))
    server.on("GET", EVENTS_PATH, Stream.of(asks(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    assert (await client.drive(THREAD_ID, REQUEST, [add])).status is Status.COMPLETED


async def test_outputs_that_got_lost_are_handed_in_again_without_calling_again(
    client: AsyncClient, server: WireServer
) -> None:
    calls = []

    def count() -> str:
        calls.append(1)
        return "once"

    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(samples.call("count"))))
    server.on("POST", OUTPUTS_PATH, Cut(), END)
    server.on("GET", EVENTS_PATH, Stream.of())
    assert (await client.drive(THREAD_ID, REQUEST, [count])).status is Status.COMPLETED
    assert calls == [1]
    assert server.calls.count(f"POST {OUTPUTS_PATH}") == 2


async def test_outputs_whose_answer_got_lost_are_not_handed_in_again(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Cut())
    server.on("GET", EVENTS_PATH, Stream.of(QUEUED_AGAIN, ENDED))
    async with client.drive_streaming(THREAD_ID, REQUEST, [add]) as stream:
        assert [got.id async for got in stream] == ["1", "5", "6", "7"]
    assert server.calls.count(f"POST {OUTPUTS_PATH}") == 1


async def test_outputs_that_never_get_through_are_given_up(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Cut())
    server.on("GET", EVENTS_PATH, Stream.of())
    with pytest.raises(Unreachable, match="could not be submitted"):
        await client.drive(THREAD_ID, REQUEST, [add])


async def test_a_run_that_someone_else_answered_goes_on(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Answer.error(400, 'Runs in status "queued" do not accept tool outputs.'))
    server.on("GET", EVENTS_PATH, Stream.of(QUEUED_AGAIN, ENDED))
    assert (await client.drive(THREAD_ID, REQUEST, [add])).status is Status.COMPLETED


async def test_outputs_that_the_server_refuses_are_an_error(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, Answer.error(400, "too long"))
    server.on("GET", EVENTS_PATH, Stream.of())
    with pytest.raises(BadRequest, match="too long"):
        await client.drive(THREAD_ID, REQUEST, [add])


async def test_a_foreign_server_whose_stream_breaks_is_asked_what_became_of_the_run(
    client: AsyncClient, server: WireServer, pauses: AsyncPauses
) -> None:
    asked = event("thread.run.requires_action", samples.waiting_run(ADD))
    server.on("POST", RUNS_PATH, Stream.of(event("thread.run.created", samples.run()), asked))
    server.on("POST", OUTPUTS_PATH, Stream.of(event("thread.run.queued", samples.run()), cut=True))
    server.on("GET", RUN_PATH, Answer.of(samples.run("in_progress")), Answer.of(samples.run("completed")))
    async with client.drive_streaming(THREAD_ID, REQUEST, [add]) as stream:
        names = [got.event async for got in stream]
    assert names[-2:] == ["thread.run.queued", "thread.run.completed"]


async def test_a_run_that_waits_is_taken_up(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", RUN_PATH, Answer.of(samples.waiting_run(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    run = await client.take_up(msgspec.convert(samples.run(), Run), [add])
    assert run.status is Status.COMPLETED
    assert outputs(server) == {"call_1": "5"}


async def test_a_run_at_work_is_taken_up_with_its_events_from_the_start(
    client: AsyncClient, server: WireServer
) -> None:
    server.on("GET", RUN_PATH, Answer.of(samples.run("in_progress")))
    server.on("GET", EVENTS_PATH, Stream.of(CREATED, asks(ADD)))
    server.on("POST", OUTPUTS_PATH, END)
    async with client.take_up_streaming(msgspec.convert(samples.run(), Run), [add]) as stream:
        assert [got.id async for got in stream] == ["1", "5", "6", "7"]


async def test_a_run_that_has_ended_is_given_back(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", RUN_PATH, Answer.of(samples.run("completed")))
    run = await client.take_up(msgspec.convert(samples.run(), Run), [add])
    assert run.status is Status.COMPLETED


async def test_driving_is_bounded_and_the_run_goes_on(client: AsyncClient, server: WireServer) -> None:
    server.on("POST", RUNS_PATH, Stream([CREATED], pings=True))
    with pytest.raises(WaitTimeout, match=f"After 0.2 s run {RUN_ID} was queued .* It goes on."):
        await client.drive(THREAD_ID, REQUEST, [add], timeout=0.2)


async def test_slow_tools_are_bounded_too(client: AsyncClient, server: WireServer) -> None:
    late = threading.Event()

    def slow() -> None:
        late.wait(10)

    server.on("POST", RUNS_PATH, Stream.of(CREATED, asks(samples.call("slow"))))
    with pytest.raises(WaitTimeout, match=f"After 0.2 s run {RUN_ID} was requires_action"):
        await client.drive(THREAD_ID, REQUEST, [slow], timeout=0.2)
    late.set()
