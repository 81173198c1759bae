"""Runs, on every deployment."""

import pytest

from runstead.llm.scripted import Gate, call, say, usage
from runstead.wire.error import BadRequest
from runstead.wire.message import MessageRequest
from runstead.wire.options import TruncationStrategy
from runstead.wire.run import Run, RunRequest, Status, ThreadRunRequest
from runstead.wire.struct import SortOrder
from runstead.wire.thread import ThreadRequest
from tests.contract.interface.harness import WEATHER, Harness, outputs
from tests.support.reader import Reader
from tests.support.waiting import within
from tests.support.worlds import names, text_of

BEGIN = ["run.created", "run.queued", "run.in_progress"]
MESSAGE = ["run.step.created", "run.step.in_progress", "message.created", "message.in_progress", "message.delta"]
PLAIN = [*BEGIN, *MESSAGE, "message.completed", "run.step.completed", "run.completed"]
CALLS = [*BEGIN, "run.step.created", "run.step.in_progress", "run.step.delta", "run.requires_action"]


async def test_a_run_is_queued_and_completes_by_itself(harness: Harness) -> None:
    harness.answers([say("Hello you"), usage(3, 2)])
    run = await harness.start(metadata={"a": "b"}, temperature=0.5, instructions="Help.")
    assert (run.status, run.expires_at, run.usage) == (Status.QUEUED, run.created_at + 600, None)
    assert (run.metadata, run.temperature, run.instructions, run.model) == ({"a": "b"}, 0.5, "Help.", "some-model")
    ended = await harness.ended(run)
    assert (ended.status, ended.expires_at) == (Status.COMPLETED, None)
    assert ended.usage is not None
    assert ended.usage.total_tokens == 5
    question, answer = await harness.messages(run)
    assert (question.role, question.run_id) == ("user", None)
    assert (answer.role, answer.run_id, answer.assistant_id) == ("assistant", run.id, run.assistant_id)
    assert text_of(answer) == "Hello you"


async def test_all_options_of_a_run_reach_the_model(harness: Harness) -> None:
    run = await harness.start(
        [WEATHER],
        model="another-model",
        additional_instructions="Be brief.",
        additional_messages=[MessageRequest(role="user", content="And?")],
        top_p=0.5,
        reasoning_effort="low",
        max_prompt_tokens=1000,
        max_completion_tokens=300,
        truncation_strategy=TruncationStrategy(type="last_messages", last_messages=1),
        tool_choice="none",
        parallel_tool_calls=False,
    )
    await harness.ended(run)
    [asked] = harness.model.requests
    assert (asked.model, asked.top_p, asked.reasoning_effort) == ("another-model", 0.5, "low")
    assert (asked.functions, asked.parallel_tool_calls, asked.max_completion_tokens) == ([], False, 300)
    assert [message["content"] for message in asked.messages] == ["Be brief.", "And?"]


async def test_a_run_and_its_thread_are_created_together(harness: Harness) -> None:
    thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hi")], metadata={"a": "b"})
    run = await harness.rs.create_thread_run(ThreadRunRequest(assistant_id=await harness.assistant(), thread=thread))
    assert (await harness.ended(run)).status == "completed"
    assert (await harness.rs.get_thread(run.thread_id)).metadata == {"a": "b"}
    assert [text_of(message) for message in await harness.messages(run)] == ["Hi", "Hello!"]


async def test_a_refused_thread_run_creates_neither(harness: Harness) -> None:
    with pytest.raises(BadRequest, match="Run creation requires a Thread with a user message"):
        await harness.rs.create_thread_run(ThreadRunRequest(assistant_id=await harness.assistant()))
    assert list((await harness.rs.threads()).data) == []


async def test_a_run_is_streamed(harness: Harness) -> None:
    harness.answers(say("Hello", " you"))
    thread_id, assistant_id = await harness.thread("Hi"), await harness.assistant()
    async with within():
        stream = harness.rs.create_streaming_run(thread_id, RunRequest(assistant_id=assistant_id))
        events = [event async for event in stream]
    assert names(events) == PLAIN
    reader = Reader()
    reader.read(events)
    assert list(reader.texts.values()) == ["Hello you"]


async def test_a_run_created_with_its_thread_is_streamed(harness: Harness) -> None:
    thread = ThreadRequest(messages=[MessageRequest(role="user", content="Hi")])
    request = ThreadRunRequest(assistant_id=await harness.assistant(), thread=thread)
    async with within():
        events = [event async for event in harness.rs.create_streaming_thread_run(request)]
    assert names(events) == ["created", *PLAIN]
    Reader().read(events)


async def test_functions_are_called_over_several_turns(harness: Harness) -> None:
    harness.answers(
        [call("weather", city="Rome"), call("weather", city="Oslo")], call("weather", city="Bern"), "Sunny."
    )
    run = await harness.ended(await harness.start([WEATHER]))
    assert run.status == "requires_action"
    answer = await harness.rs.submit_tool_output(run.thread_id, run.id, outputs(run))
    assert (answer.status, answer.required_action) == (Status.QUEUED, None)
    run = await harness.ended(run)
    assert run.required_action is not None
    assert run.required_action.submit_tool_outputs.tool_calls[0].function.arguments == '{"city":"Bern"}'
    await harness.rs.submit_tool_output(run.thread_id, run.id, outputs(run))
    assert (await harness.ended(run)).status == "completed"
    assert [step.type for step in await harness.steps(run)] == ["tool_calls", "tool_calls", "message_creation"]
    assert text_of((await harness.messages(run))[-1]) == "Sunny."


async def test_functions_are_called_within_streams(harness: Harness) -> None:
    harness.answers([say("Let me see."), call("weather", city="Rome")], "Sunny.")
    request = RunRequest(assistant_id=await harness.assistant([WEATHER]))
    async with within():
        events = [event async for event in harness.rs.create_streaming_run(await harness.thread("Hi"), request)]
        paused = events[-1].data
        assert isinstance(paused, Run)
        stream = harness.rs.submit_streaming_tool_output(paused.thread_id, paused.id, outputs(paused))
        more = [event async for event in stream]
    assert names(more) == ["run.step.completed", "run.queued", "run.in_progress", *PLAIN[3:]]
    Reader().read(events + more)


async def test_a_run_is_followed_from_any_event(harness: Harness) -> None:
    harness.answers(call("weather"), "Sunny.")
    run = await harness.ended(await harness.start([WEATHER]))
    await harness.rs.submit_tool_output(run.thread_id, run.id, outputs(run))
    await harness.ended(run)
    events = await harness.events(run)
    Reader().read(events)
    assert names(events)[-1] == "run.completed"
    for index, event in enumerate(events[:-1]):
        assert await harness.events(run, event.id) == events[index + 1 :]


async def test_an_active_run_is_followed_live(harness: Harness) -> None:
    gate = Gate()
    harness.answers([say("Half", " an"), gate, say(" answer")])
    run = await harness.start()
    async with within():
        await gate.reached.wait()
        events = []
        async for event in harness.rs.run_events(run.thread_id, run.id):
            events.append(event)
            if event.id == "7.2":
                gate.open()
    reader = Reader()
    reader.read(events)
    assert list(reader.texts.values()) == ["Half an answer"]


async def test_a_run_is_cancelled_while_it_is_writing(harness: Harness) -> None:
    gate = Gate()
    harness.answers([say("Half"), gate])
    run = await harness.start()
    async with within():
        await gate.reached.wait()
    assert (await harness.rs.cancel(run.thread_id, run.id)).status == "cancelling"
    async with within():
        await harness.model.closed.wait()
    events = await harness.events(run)
    stored = [name for name in names(events) if name != "message.delta"]
    assert stored[-4:] == ["run.cancelling", "message.incomplete", "run.step.cancelled", "run.cancelled"]
    [_, half] = await harness.messages(run)
    assert (text_of(half), half.status) == ("Half", "incomplete")


async def test_metadata_of_a_run_is_updated_in_any_status(harness: Harness) -> None:
    gate = Gate()
    harness.answers([say("Half"), gate, say("whole")])
    run = await harness.start(metadata={"a": "b"})
    async with within():
        await gate.reached.wait()
    update = harness.rs.update_run
    assert (await update(run.thread_id, run.id)).metadata == {"a": "b"}
    assert (await update(run.thread_id, run.id, {"c": "d"})).metadata == {"c": "d"}
    gate.open()
    assert (await harness.ended(run)).metadata == {"c": "d"}
    assert (await update(run.thread_id, run.id, None)).metadata == {}


async def test_the_runs_of_a_thread_are_listed(harness: Harness) -> None:
    run = await harness.ended(await harness.start())
    made = [run.id]
    for _ in range(4):
        again = await harness.rs.create_run(run.thread_id, RunRequest(assistant_id=run.assistant_id))
        await harness.ended(again)
        made.append(again.id)
    page = await harness.rs.runs(run.thread_id, limit=2, order=SortOrder.ASC)
    assert [each.id for each in page.data] == made[:2]
    assert (page.first_id, page.last_id, page.has_more) == (made[0], made[1], True)
    page = await harness.rs.runs(run.thread_id, order=SortOrder.ASC, after=made[1])
    assert [each.id for each in page.data] == made[2:]
    assert not page.has_more
    page = await harness.rs.runs(run.thread_id, limit=2, before=made[0])
    assert [each.id for each in page.data] == [made[2], made[1]]
    assert [each.id for each in (await harness.rs.runs(run.thread_id)).data] == made[::-1]


async def test_steps_are_returned_and_listed(harness: Harness) -> None:
    harness.answers(call("weather"), "Sunny.")
    run = await harness.ended(await harness.start([WEATHER]))
    await harness.rs.submit_tool_output(run.thread_id, run.id, outputs(run))
    await harness.ended(run)
    first, second = await harness.steps(run)
    assert await harness.rs.run_step(run.thread_id, run.id, first.id) == first
    page = await harness.rs.run_steps(run.thread_id, run.id, limit=1)
    assert (list(page.data), page.has_more) == ([second], True)
    page = await harness.rs.run_steps(run.thread_id, run.id, after=second.id)
    assert (list(page.data), page.has_more) == ([first], False)


async def test_leaving_a_stream_does_not_stop_the_run(harness: Harness) -> None:
    gate = Gate()
    harness.answers([say("Half"), gate, say("whole")])
    run = await harness.start()
    stream = harness.rs.run_events(run.thread_id, run.id)
    async with within():
        assert (await anext(stream)).event == "thread.run.created"
        await stream.aclose()  # type: ignore[attr-defined]
        gate.open()
    assert (await harness.ended(run)).status == "completed"
