"""The order of a run's events, and the data of each."""

from typing import Any

import msgspec

from runstead.llm.scripted import Gate, Turn, call, fail, finish, refuse, say, usage
from runstead.wire.event import Event
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.run_step import RunStep
from runstead.wire.thread import ThreadRequest
from tests.support.reader import Reader
from tests.support.waiting import within
from tests.support.worlds import WEATHER, World, names, world

BEGIN = ["run.created", "run.queued", "run.in_progress"]
OPEN_MESSAGE = ["run.step.created", "run.step.in_progress", "message.created", "message.in_progress", "message.delta"]
OPEN_CALLS = ["run.step.created", "run.step.in_progress", "run.step.delta"]
CLOSE_MESSAGE = ["message.completed", "run.step.completed"]
PLAIN = [*BEGIN, *OPEN_MESSAGE, *CLOSE_MESSAGE, "run.completed"]
CALLS = [*BEGIN, *OPEN_CALLS, "run.requires_action"]


def data(events: list[Event], name: str) -> list[Any]:
    """The data of the events with this name, as JSON."""
    return [msgspec.to_builtins(event.data) for event in events if event.event == f"thread.{name}"]


async def streamed(here: World, **fields: Any) -> list[Event]:
    """The events of a new run on a new thread, streamed from its creation."""
    request = RunRequest(assistant_id=await here.assistant([WEATHER]), **fields)
    thread_id = await here.thread("Hello")
    async with within():
        return [event async for event in here.project.create_streaming_run(thread_id, request)]


async def answered(here: World, run: Run) -> list[Event]:
    """The events of a stream that submits the run's outputs."""
    stream = here.project.submit_streaming_tool_output(run.thread_id, run.id, here.outputs(run))
    async with within():
        return [event async for event in stream]


def last_run(events: list[Event]) -> Run:
    assert isinstance(events[-1].data, Run)
    return events[-1].data


async def test_the_events_of_a_plain_run() -> None:
    async with world(["Hello you"]) as here:
        events = await streamed(here)
    assert names(events) == PLAIN
    Reader().read(events)


async def test_the_data_of_a_plain_run() -> None:
    async with world([["Hello you", usage(10, 2, cached=4)]]) as here:
        events = await streamed(here)
    [created], [queued], [started] = (
        data(events, "run.created"),
        data(events, "run.queued"),
        data(events, "run.in_progress"),
    )
    assert created == queued
    assert (created["status"], created["started_at"]) == ("queued", None)
    assert (started["status"], started["started_at"]) == ("in_progress", 1_700_000_000)
    [step], [step_again] = data(events, "run.step.created"), data(events, "run.step.in_progress")
    assert step == step_again
    assert (step["type"], step["status"], step["usage"]) == ("message_creation", "in_progress", None)
    [message] = data(events, "message.created")
    assert (message["status"], message["content"], message["role"]) == ("in_progress", [], "assistant")
    assert step["step_details"]["message_creation"]["message_id"] == message["id"]
    assert data(events, "message.delta") == [
        {
            "id": message["id"],
            "object": "thread.message.delta",
            "delta": {"content": [{"index": 0, "type": "text", "text": {"value": "Hello", "annotations": []}}]},
        },
        {
            "id": message["id"],
            "object": "thread.message.delta",
            "delta": {"content": [{"index": 0, "type": "text", "text": {"value": " you"}}]},
        },
    ]
    [written] = data(events, "message.completed")
    assert written["content"] == [{"type": "text", "text": {"value": "Hello you", "annotations": []}}]
    assert written["run_id"] == created["id"]
    [done], [run] = data(events, "run.step.completed"), data(events, "run.completed")
    assert done["usage"] == run["usage"]
    assert run["usage"] == {
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "total_tokens": 12,
        "prompt_token_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert run["expires_at"] is None


async def test_a_run_created_with_its_thread_begins_with_thread_created() -> None:
    async with world(["Hello you"]) as here:
        thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hi")], metadata={"a": "b"})
        request = ThreadRunRequest(assistant_id=await here.assistant(), thread=thread)
        async with within():
            events = [event async for event in here.project.create_streaming_thread_run(request)]
        assert names(events) == ["created", *PLAIN]
        assert data(events, "created")[0]["metadata"] == {"a": "b"}
        assert data(events, "created")[0]["id"] == last_run(events).thread_id
        Reader().read(events)


async def test_a_stream_ends_at_required_calls_and_continues_with_the_outputs() -> None:
    async with world([call("weather", city="Rome"), "Sunny."]) as here:
        first = await streamed(here)
        second = await answered(here, last_run(first))
    assert names(first) == CALLS
    assert names(second) == [
        "run.step.completed",
        "run.queued",
        "run.in_progress",
        *OPEN_MESSAGE,
        *CLOSE_MESSAGE,
        "run.completed",
    ]
    Reader().read(first + second)


async def test_the_data_of_function_calls() -> None:
    async with world([[call("weather", city="Rome"), call("weather", city="Oslo"), usage(5, 7)], "Sunny."]) as here:
        first = await streamed(here)
        paused = last_run(first)
        second = await answered(here, paused)
    [step] = data(first, "run.step.created")
    assert step["step_details"] == {"type": "tool_calls", "tool_calls": []}
    assert (paused.status, paused.usage) == ("requires_action", None)
    assert paused.required_action is not None
    calls = paused.required_action.submit_tool_outputs.tool_calls
    assert [each.function.arguments for each in calls] == ['{"city":"Rome"}', '{"city":"Oslo"}']
    [done] = data(second, "run.step.completed")[:1]
    assert done["id"] == step["id"]
    assert done["usage"]["total_tokens"] == 12
    assert done["step_details"]["tool_calls"] == [
        {
            "id": each.id,
            "type": "function",
            "function": {"name": "weather", "arguments": each.function.arguments, "output": "sunny"},
        }
        for each in calls
    ]
    [queued] = data(second, "run.queued")
    assert (queued["required_action"], queued["expires_at"]) == (None, paused.expires_at)


async def test_text_and_calls_of_one_turn_are_two_steps() -> None:
    turn: Turn = [say("Let me see."), call("weather", city="Rome"), call("weather", city="Oslo"), usage(5, 9)]
    async with world([turn, "Sunny."]) as here:
        first = await streamed(here)
        run = last_run(first)
        steps = await here.steps(run)
        await answered(here, run)
        ended = await here.now(run)
        all_steps = await here.steps(run)
    assert names(first) == [*BEGIN, *OPEN_MESSAGE, *CLOSE_MESSAGE, *OPEN_CALLS, "run.requires_action"]
    assert [(step.type, step.status) for step in steps] == [
        ("message_creation", "completed"),
        ("tool_calls", "in_progress"),
    ]
    assert steps[1].usage is None, "what a step took is shown once it is over"
    taken = [step.usage.total_tokens for step in all_steps if step.usage]
    assert taken[:2] == [0, 14], "a turn is counted on its last step"
    assert ended.usage is not None
    assert ended.usage.total_tokens == sum(taken)


async def test_several_rounds_of_functions() -> None:
    rounds: list[Turn] = [[call("weather", city=f"{n}"), call("weather", city="x")] for n in range(3)]
    async with world([*rounds, "Done."]) as here:
        events = await streamed(here)
        for _ in rounds:
            events += await answered(here, last_run(events))
        run = last_run(events)
        assert await here.events(run) == [event for event in events if "delta" not in event.event]
    Reader().read(events)
    assert names(events).count("run.requires_action") == 3
    assert run.status == "completed"
    assert [len(request.messages) for request in here.model.requests] == [1, 4, 7, 10]


async def test_a_budget_that_is_used_up_cuts_the_message() -> None:
    async with world([["One two three", finish("length")]]) as here:
        events = await streamed(here)
    assert names(events) == [*BEGIN, *OPEN_MESSAGE, "message.incomplete", "run.step.completed", "run.incomplete"]
    [message] = data(events, "message.incomplete")
    assert (message["incomplete_details"], message["completed_at"]) == ({"reason": "max_tokens"}, None)
    assert message["content"][0]["text"]["value"] == "One two three"
    run = last_run(events)
    assert run.incomplete_details is not None
    assert run.incomplete_details.reason == "max_completion_tokens"
    assert run.usage is not None


async def test_incomplete_calls_are_not_required() -> None:
    async with world([[call("weather", city="Ro"), finish("length")]]) as here:
        events = await streamed(here)
    assert names(events) == [*BEGIN, *OPEN_CALLS, "run.step.failed", "run.incomplete"]
    assert (
        data(events, "run.step.failed")[0]["last_error"]["message"]
        == "The model stopped in the middle of its tool calls."
    )


async def test_a_model_error_fails_the_run_with_its_cause() -> None:
    async with world([fail("The model server says: no.", "rate_limit_exceeded")]) as here:
        events = await streamed(here)
    assert names(events) == [*BEGIN, "run.failed"]
    run = last_run(events)
    assert run.last_error is not None
    assert (run.last_error.code, run.last_error.message) == ("rate_limit_exceeded", "The model server says: no.")
    assert run.usage is not None
    assert run.usage.total_tokens == 0


async def test_a_model_error_leaves_the_text_so_far() -> None:
    async with world([[say("Half an"), fail("Cut.")]]) as here:
        events = await streamed(here)
    assert names(events) == [*BEGIN, *OPEN_MESSAGE, "message.incomplete", "run.step.failed", "run.failed"]
    [message], [step] = data(events, "message.incomplete"), data(events, "run.step.failed")
    assert message["incomplete_details"] == {"reason": "run_failed"}
    assert message["content"][0]["text"]["value"] == "Half an"
    assert step["last_error"] == {"code": "server_error", "message": "Cut."}


async def test_a_model_error_during_calls_fails_their_step() -> None:
    async with world([[say("Well."), call("weather", city="Rome"), fail("Cut.")]]) as here:
        events = await streamed(here)
    assert names(events) == [*BEGIN, *OPEN_MESSAGE, *CLOSE_MESSAGE, *OPEN_CALLS, "run.step.failed", "run.failed"]


async def test_an_unexpected_error_fails_the_run_with_its_name() -> None:
    def broken(_: object) -> Turn:
        raise ZeroDivisionError("oh")

    async with world(broken) as here:
        events = await streamed(here)
    assert last_run(events).last_error is not None
    assert "ZeroDivisionError" in msgspec.json.encode(last_run(events).last_error).decode()


async def test_an_answer_stopped_by_a_content_filter_fails_the_run() -> None:
    async with world([[say("I could"), finish("content_filter")]]) as here:
        events = await streamed(here)
    assert names(events) == [*BEGIN, *OPEN_MESSAGE, "message.incomplete", "run.step.completed", "run.failed"]
    assert data(events, "message.incomplete")[0]["incomplete_details"] == {"reason": "content_filter"}
    run = last_run(events)
    assert run.last_error is not None
    assert "content filter" in run.last_error.message
    assert run.usage is not None
    assert run.usage.completion_tokens == 2


async def test_an_empty_answer_is_an_empty_message() -> None:
    async with world([[]]) as here:
        events = await streamed(here)
    assert names(events) == [name for name in PLAIN if name != "message.delta"]
    assert data(events, "message.completed")[0]["content"] == [
        {"type": "text", "text": {"value": "", "annotations": []}}
    ]


async def test_a_refusal_is_a_separate_part() -> None:
    async with world([[refuse("I will not")]]) as here:
        events = await streamed(here)
    assert names(events) == PLAIN
    assert data(events, "message.delta")[0]["delta"]["content"] == [{"index": 0, "type": "refusal", "refusal": "I"}]
    assert data(events, "message.completed")[0]["content"] == [{"type": "refusal", "refusal": "I will not"}]


async def test_steps_exist_once_the_model_has_begun() -> None:
    gate = Gate()
    async with world([[gate, "Hello"]]) as here:
        run = await here.start()
        async with within():
            await gate.reached.wait()
        assert await here.steps(run) == []
        gate.open()
        await here.ended(run)
        [step] = await here.steps(run)
        assert step == await here.project.run_step(run.thread_id, run.id, step.id)
        assert isinstance(step, RunStep)


async def test_control_characters_of_the_models_server_are_escaped_in_the_last_error() -> None:
    async with world([fail("bad \x1b[2J\x07 key\nsecond line")]) as here:
        run = await here.ended(await here.start())
    assert run.last_error is not None
    assert run.last_error.message == "bad \\x1b[2J\\x07 key\nsecond line"
