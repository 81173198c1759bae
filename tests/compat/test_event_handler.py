"""The client's event handlers: every callback, in its order, with whole snapshots."""

from typing import Any

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

ANSWER_HEARD = [
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
CALLS_HEARD = [
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


class Listener(AssistantEventHandler):
    """Writes down what it hears."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []
        self.events: list[str] = []
        self.last_snapshot: RunStep | None = None

    @override
    def on_event(self, event: AssistantStreamEvent) -> None:
        self.events.append(event.event)

    @override
    def on_end(self) -> None:
        self.heard.append("end")

    @override
    def on_exception(self, exception: Exception) -> None:
        self.heard.append(f"exception {exception!r}")

    @override
    def on_timeout(self) -> None:
        self.heard.append("timeout")

    @override
    def on_run_step_created(self, run_step: RunStep) -> None:
        self.heard.append("step created")

    @override
    def on_run_step_delta(self, delta: RunStepDelta, snapshot: RunStep) -> None:
        self.last_snapshot = snapshot

    @override
    def on_run_step_done(self, run_step: RunStep) -> None:
        self.heard.append(f"step done {run_step.status}")

    @override
    def on_tool_call_created(self, tool_call: ToolCall) -> None:
        self.heard.append(f"call created {tool_call.id}")

    @override
    def on_tool_call_delta(self, delta: ToolCallDelta, snapshot: ToolCall) -> None:
        assert arguments(snapshot)

    @override
    def on_tool_call_done(self, tool_call: ToolCall) -> None:
        self.heard.append(f"call done {tool_call.id} {arguments(tool_call)}")

    @override
    def on_message_created(self, message: Message) -> None:
        self.heard.append("message created")

    @override
    def on_message_delta(self, delta: MessageDelta, snapshot: Message) -> None:
        self.heard.append("message delta")

    @override
    def on_message_done(self, message: Message) -> None:
        self.heard.append(f"message done {message.status}")

    @override
    def on_text_created(self, text: Text) -> None:
        self.heard.append("text created")

    @override
    def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        self.heard.append(f"text delta {snapshot.value}")

    @override
    def on_text_done(self, text: Text) -> None:
        self.heard.append(f"text done {text.value}")


class AsyncListener(AsyncAssistantEventHandler):
    """The same, for the asynchronous client."""

    def __init__(self) -> None:
        super().__init__()
        self.listener = Listener()

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


def without_repeats(heard: list[str]) -> list[str]:
    """The client says `call done` again with every event that ends a run or a step: once is enough to look at."""
    return list(dict.fromkeys(heard))


def test_a_handler_hears_an_answer(client: OpenAI, model: Script, assistant: Assistant, thread: Thread) -> None:
    model.says("Hello", " there.")
    listener = Listener()
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=listener
    ) as stream:
        stream.until_done()
    assert listener.heard == ANSWER_HEARD
    assert listener.events[-1] == "thread.run.completed"


def test_a_handler_hears_parallel_calls(client: OpenAI, model: Script, forecaster: Assistant, thread: Thread) -> None:
    model.calls(ROME, OSLO)
    listener = Listener()
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=forecaster.id, event_handler=listener
    ) as stream:
        run = stream.get_final_run()
    assert run.status == "requires_action"
    assert without_repeats(listener.heard) == CALLS_HEARD
    assert listener.last_snapshot is not None
    assert calls(listener.last_snapshot) == [ROME.arguments, OSLO.arguments]

    model.says("Hello", " there.")
    listener = Listener()
    outputs: list[Any] = [{"tool_call_id": call.id, "output": "sunny"} for call in (ROME, OSLO)]
    with client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs, event_handler=listener
    ) as stream:
        stream.until_done()
    assert listener.heard == ["step done completed", *ANSWER_HEARD]


def test_a_handler_answers_calls_from_inside(
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


async def test_an_async_handler_hears_an_answer(
    async_client: AsyncOpenAI, model: Script, assistant: Assistant, thread: Thread
) -> None:
    model.says("Hello", " there.")
    handler = AsyncListener()
    async with async_client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=handler
    ) as stream:
        await stream.until_done()
    assert handler.listener.heard == ANSWER_HEARD


async def test_an_async_handler_hears_parallel_calls(
    async_client: AsyncOpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    model.calls(ROME, OSLO)
    handler = AsyncListener()
    async with async_client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=forecaster.id, event_handler=handler
    ) as stream:
        run = await stream.get_final_run()
    assert without_repeats(handler.listener.heard) == CALLS_HEARD

    model.says("Hello", " there.")
    handler = AsyncListener()
    outputs: list[Any] = [{"tool_call_id": call.id, "output": "sunny"} for call in (ROME, OSLO)]
    async with async_client.beta.threads.runs.submit_tool_outputs_stream(
        run_id=run.id, thread_id=thread.id, tool_outputs=outputs, event_handler=handler
    ) as stream:
        await stream.until_done()
    assert handler.listener.heard == ["step done completed", *ANSWER_HEARD]
