"""The official client's event handlers: every callback, in order, with complete snapshots."""

from typing import Any

import pytest
from openai import AssistantEventHandler, AsyncAssistantEventHandler, AsyncOpenAI, OpenAI
from openai.types.beta import Assistant, AssistantStreamEvent, Thread
from openai.types.beta.threads import Message, MessageDelta, Text, TextDelta
from openai.types.beta.threads.runs import (
    FunctionToolCall,
    RunStep,
    RunStepDelta,
    ToolCall,
    ToolCallDelta,
    ToolCallsStepDetails,
)
from typing_extensions import override

from runstead.llm.scripted import Call
from tests.compat.script import Script

ROME = Call("weather", '{"city":"Rome"}', id="call_rome")
OSLO = Call("weather", '{"city":"Oslo"}', id="call_oslo")

ANSWER = [
    "step created",
    "message created",
    "text created",
    "text delta Hello",
    "message delta",
    "text delta Hello there.",
    "message delta",
    "text done Hello there.",
    "message done completed",
    "step done completed",
    "end",
]
CALLS = [
    "step created",
    "call created call_rome",
    'call done call_rome {"city":"Rome"}',
    "call created call_oslo",
    'call done call_oslo {"city":"Oslo"}',
    "end",
]


def arguments(call: ToolCall) -> str:
    assert isinstance(call, FunctionToolCall)
    assert call.function.name == "weather"
    return call.function.arguments


def calls(step: RunStep) -> list[str]:
    """The arguments of a step's calls."""
    assert isinstance(step.step_details, ToolCallsStepDetails)
    return [arguments(call) for call in step.step_details.tool_calls]


class Recorder(AssistantEventHandler):
    """Records its callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.callbacks: list[str] = []
        self.events: list[str] = []
        self.last_snapshot: RunStep | None = None

    @override
    def on_event(self, event: AssistantStreamEvent) -> None:
        self.events.append(event.event)

    @override
    def on_end(self) -> None:
        self.callbacks.append("end")

    @override
    def on_exception(self, exception: Exception) -> None:
        self.callbacks.append(f"exception {exception!r}")

    @override
    def on_timeout(self) -> None:
        self.callbacks.append("timeout")

    @override
    def on_run_step_created(self, run_step: RunStep) -> None:
        self.callbacks.append("step created")

    @override
    def on_run_step_delta(self, delta: RunStepDelta, snapshot: RunStep) -> None:
        self.last_snapshot = snapshot

    @override
    def on_run_step_done(self, run_step: RunStep) -> None:
        self.callbacks.append(f"step done {run_step.status}")

    @override
    def on_tool_call_created(self, tool_call: ToolCall) -> None:
        self.callbacks.append(f"call created {tool_call.id}")

    @override
    def on_tool_call_delta(self, delta: ToolCallDelta, snapshot: ToolCall) -> None:
        assert arguments(snapshot)

    @override
    def on_tool_call_done(self, tool_call: ToolCall) -> None:
        self.callbacks.append(f"call done {tool_call.id} {arguments(tool_call)}")

    @override
    def on_message_created(self, message: Message) -> None:
        self.callbacks.append("message created")

    @override
    def on_message_delta(self, delta: MessageDelta, snapshot: Message) -> None:
        self.callbacks.append("message delta")

    @override
    def on_message_done(self, message: Message) -> None:
        self.callbacks.append(f"message done {message.status}")

    @override
    def on_text_created(self, text: Text) -> None:
        self.callbacks.append("text created")

    @override
    def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        self.callbacks.append(f"text delta {snapshot.value}")

    @override
    def on_text_done(self, text: Text) -> None:
        self.callbacks.append(f"text done {text.value}")


class AsyncRecorder(AsyncAssistantEventHandler):
    """The same for the async client."""

    def __init__(self) -> None:
        super().__init__()
        self.listener = Recorder()

    @override
    async def on_event(self, event: AssistantStreamEvent) -> None:
        self.listener.on_event(event)

    @override
    async def on_end(self) -> None:
        self.listener.on_end()

    @override
    async def on_exception(self, exception: Exception) -> None:
        self.listener.on_exception(exception)

    @override
    async def on_timeout(self) -> None:
        self.listener.on_timeout()

    @override
    async def on_run_step_created(self, run_step: RunStep) -> None:
        self.listener.on_run_step_created(run_step)

    @override
    async def on_run_step_delta(self, delta: RunStepDelta, snapshot: RunStep) -> None:
        self.listener.on_run_step_delta(delta, snapshot)

    @override
    async def on_run_step_done(self, run_step: RunStep) -> None:
        self.listener.on_run_step_done(run_step)

    @override
    async def on_tool_call_created(self, tool_call: ToolCall) -> None:
        self.listener.on_tool_call_created(tool_call)

    @override
    async def on_tool_call_delta(self, delta: ToolCallDelta, snapshot: ToolCall) -> None:
        self.listener.on_tool_call_delta(delta, snapshot)

    @override
    async def on_tool_call_done(self, tool_call: ToolCall) -> None:
        self.listener.on_tool_call_done(tool_call)

    @override
    async def on_message_created(self, message: Message) -> None:
        self.listener.on_message_created(message)

    @override
    async def on_message_delta(self, delta: MessageDelta, snapshot: Message) -> None:
        self.listener.on_message_delta(delta, snapshot)

    @override
    async def on_message_done(self, message: Message) -> None:
        self.listener.on_message_done(message)

    @override
    async def on_text_created(self, text: Text) -> None:
        self.listener.on_text_created(text)

    @override
    async def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        self.listener.on_text_delta(delta, snapshot)

    @override
    async def on_text_done(self, text: Text) -> None:
        self.listener.on_text_done(text)


def without_repeats(callbacks: list[str]) -> list[str]:
    """The callbacks without repetitions: the client repeats `on_tool_call_done` when a run or step ends."""
    return list(dict.fromkeys(callbacks))


def test_the_callbacks_of_parallel_tool_calls_and_their_outputs(
    client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    model.calls(ROME, OSLO)
    listener = Recorder()
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=forecaster.id, event_handler=listener
    ) as stream:
        run = stream.get_final_run()
    assert run.status == "requires_action"
    assert without_repeats(listener.callbacks) == CALLS
    assert listener.last_snapshot is not None
    assert calls(listener.last_snapshot) == [ROME.arguments, OSLO.arguments]

    model.says("Hello", " there.")
    listener = Recorder()
    outputs: list[Any] = [{"tool_call_id": call.id, "output": "sunny"} for call in (ROME, OSLO)]
    with client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs, event_handler=listener
    ) as stream:
        stream.until_done()
    assert listener.callbacks == ["step done completed", *ANSWER]
    assert listener.events[-1] == "thread.run.completed"


@pytest.mark.parametrize("before", ["", "Hm."])
def test_text_behind_calls_is_a_message_of_its_own(
    client: OpenAI, model: Script, forecaster: Assistant, thread: Thread, before: str
) -> None:
    model.calls(ROME, says=before, says_behind="I am looking.")
    listener = Recorder()
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=forecaster.id, event_handler=listener
    ) as stream:
        run = stream.get_final_run()
        messages = stream.get_final_messages()
    assert run.status == "requires_action"
    said = [part.text.value for message in messages for part in message.content if part.type == "text"]
    assert said == [text for text in (before, "I am looking.") if text]
    assert listener.callbacks[-1] == "end"
    assert not any(each.startswith("exception") for each in listener.callbacks)
    model.says("Sunny.")
    done = client.beta.threads.runs.submit_tool_outputs_and_poll(
        run_id=run.id,
        thread_id=thread.id,
        tool_outputs=[{"tool_call_id": ROME.id or "", "output": "sunny"}],
        poll_interval_ms=10,
    )
    assert done.status == "completed"


def test_outputs_can_be_submitted_inside_a_callback(
    client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    said: list[str] = []

    class Worker(AssistantEventHandler):
        @override
        def on_event(self, event: AssistantStreamEvent) -> None:
            if event.event != "thread.run.requires_action" or event.data.required_action is None:
                return
            asked = event.data.required_action.submit_tool_outputs.tool_calls
            outputs: list[Any] = [{"tool_call_id": call.id, "output": "sunny"} for call in asked]
            with client.beta.threads.runs.submit_tool_outputs_stream(
                run_id=event.data.id, thread_id=thread.id, tool_outputs=outputs, event_handler=Worker()
            ) as stream:
                stream.until_done()

        @override
        def on_text_done(self, text: Text) -> None:
            said.append(text.value)

    model.calls(ROME, OSLO)
    model.calls(Call("weather", "{}", id="call_bern"))
    model.says("Sun everywhere.")
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=forecaster.id, event_handler=Worker()
    ) as stream:
        stream.until_done()
    assert said == ["Sun everywhere."]


async def test_the_async_callbacks_of_parallel_tool_calls_and_their_outputs(
    async_client: AsyncOpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    model.calls(ROME, OSLO)
    handler = AsyncRecorder()
    async with async_client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=forecaster.id, event_handler=handler
    ) as stream:
        run = await stream.get_final_run()
    assert without_repeats(handler.listener.callbacks) == CALLS

    model.says("Hello", " there.")
    handler = AsyncRecorder()
    outputs: list[Any] = [{"tool_call_id": call.id, "output": "sunny"} for call in (ROME, OSLO)]
    async with async_client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs, event_handler=handler
    ) as stream:
        await stream.until_done()
    assert handler.listener.callbacks == ["step done completed", *ANSWER]
