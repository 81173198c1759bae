"""Function tools, whose outputs the official client submits."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from openai import BadRequestError, OpenAI
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import RequiredActionFunctionToolCall, Run, TextContentBlock
from openai.types.beta.threads.run_submit_tool_outputs_params import ToolOutput
from openai.types.beta.threads.runs import FunctionToolCall, RunStep, ToolCallsStepDetails

from runstead.llm.scripted import Call
from tests.compat.conftest import Server, Start, with_clock
from tests.compat.script import Script, refused
from tests.support.clock import ManualClock

ROME = Call("weather", '{"city":"Rome"}', id="call_rome")
OSLO = Call("weather", '{"city":"Oslo"}', id="call_oslo")
OUTPUTS: list[ToolOutput] = [
    {"tool_call_id": "call_rome", "output": "sunny"},
    {"tool_call_id": "call_oslo", "output": "rainy"},
]


def asked(run: Run) -> Sequence[RequiredActionFunctionToolCall]:
    """The calls whose outputs a run requires."""
    assert run.status == "requires_action"
    assert run.required_action is not None
    assert run.required_action.type == "submit_tool_outputs"
    return run.required_action.submit_tool_outputs.tool_calls


def calls(step: RunStep) -> list[FunctionToolCall]:
    """The calls of a step."""
    assert isinstance(step.step_details, ToolCallsStepDetails)
    return [call for call in step.step_details.tool_calls if isinstance(call, FunctionToolCall)]


@pytest.fixture
def waiting(client: OpenAI, model: Script, forecaster: Assistant, thread: Thread) -> Run:
    """A run that requires the outputs of two parallel calls."""
    model.calls(ROME, OSLO, prompt=260, completion=12)
    return client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=forecaster.id, poll_interval_ms=10
    )


class TestRequiredAction:
    def test_a_run_requires_the_outputs_of_all_parallel_calls(self, waiting: Run) -> None:
        rome, oslo = asked(waiting)
        assert (rome.id, rome.type, rome.function.name) == ("call_rome", "function", "weather")
        assert rome.function.arguments == '{"city":"Rome"}'
        assert (oslo.id, oslo.function.arguments) == ("call_oslo", '{"city":"Oslo"}')
        assert (waiting.usage, waiting.completed_at) == (None, None)
        assert waiting.expires_at == waiting.created_at + 600

    def test_parallel_calls_are_one_step_in_progress(self, client: OpenAI, waiting: Run) -> None:
        [step] = client.beta.threads.runs.steps.list(waiting.id, thread_id=waiting.thread_id)
        assert (step.type, step.status, step.completed_at) == ("tool_calls", "in_progress", None)
        assert [(call.id, call.function.output) for call in calls(step)] == [("call_rome", None), ("call_oslo", None)]

    def test_a_thread_is_locked_while_its_run_requires_outputs(self, client: OpenAI, waiting: Run) -> None:
        with refused(BadRequestError, f"Can't add messages to {waiting.thread_id} while a run {waiting.id} is active."):
            client.beta.threads.messages.create(waiting.thread_id, role="user", content="And?")

    def test_a_run_that_requires_outputs_can_be_cancelled(self, client: OpenAI, waiting: Run) -> None:
        cancelled = client.beta.threads.runs.cancel(waiting.id, thread_id=waiting.thread_id)
        assert cancelled.status == "cancelling"
        done = client.beta.threads.runs.poll(waiting.id, thread_id=waiting.thread_id, poll_interval_ms=10)
        assert (done.status, done.required_action) == ("cancelled", None)
        [step] = client.beta.threads.runs.steps.list(waiting.id, thread_id=waiting.thread_id)
        assert step.status == "cancelled"


class TestOutputs:
    def test_outputs_queue_the_run_which_then_completes(self, client: OpenAI, model: Script, waiting: Run) -> None:
        model.says("Sun in Rome, rain in Oslo.", prompt=284, completion=42)
        run = client.beta.threads.runs.submit_tool_outputs(
            waiting.id, thread_id=waiting.thread_id, tool_outputs=OUTPUTS
        )
        assert (run.status, run.required_action) == ("queued", None)
        done = client.beta.threads.runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=10)
        assert done.status == "completed"
        assert done.expires_at is None
        assert done.usage is not None
        assert (done.usage.prompt_tokens, done.usage.completion_tokens) == (544, 54)
        answer = client.beta.threads.messages.list(run.thread_id).data[0]
        assert isinstance(answer.content[0], TextContentBlock)
        assert answer.content[0].text.value == "Sun in Rome, rain in Oslo."

        said, called = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id)
        assert (said.type, called.type, called.status) == ("message_creation", "tool_calls", "completed")
        assert [(call.id, call.function.output) for call in calls(called)] == [
            ("call_rome", "sunny"),
            ("call_oslo", "rainy"),
        ]
        assert called.usage is not None
        assert called.usage.total_tokens == 272

    def test_the_model_gets_its_calls_and_their_outputs(self, client: OpenAI, model: Script, waiting: Run) -> None:
        model.says("Done.")
        client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=waiting.id, thread_id=waiting.thread_id, tool_outputs=OUTPUTS, poll_interval_ms=10
        )
        *_, asking, rome, oslo = model.requests[-1].messages
        assert [call["function"]["arguments"] for call in asking["tool_calls"]] == [ROME.arguments, OSLO.arguments]
        assert rome == {"role": "tool", "tool_call_id": "call_rome", "content": "sunny"}
        assert oslo == {"role": "tool", "tool_call_id": "call_oslo", "content": "rainy"}

    def test_a_run_can_have_several_rounds_of_calls(self, client: OpenAI, model: Script, waiting: Run) -> None:
        model.calls(Call("weather", '{"city":"Bern"}', id="call_bern"))
        again = client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=waiting.id, thread_id=waiting.thread_id, tool_outputs=OUTPUTS, poll_interval_ms=10
        )
        assert [call.id for call in asked(again)] == ["call_bern"]
        model.says("Done.")
        done = client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=waiting.id,
            thread_id=waiting.thread_id,
            tool_outputs=[{"tool_call_id": "call_bern", "output": "foggy"}],
            poll_interval_ms=10,
        )
        assert done.status == "completed"
        steps = client.beta.threads.runs.steps.list(waiting.id, thread_id=waiting.thread_id, order="asc")
        assert [step.type for step in steps] == ["tool_calls", "tool_calls", "message_creation"]

    @pytest.mark.parametrize(
        ("outputs", "got"),
        [
            (OUTPUTS[:1], "['call_rome']"),
            ([], "[]"),
            ([*OUTPUTS, {"tool_call_id": "call_x", "output": "?"}], "['call_rome', 'call_oslo', 'call_x']"),
            ([OUTPUTS[0], OUTPUTS[0]], "['call_rome', 'call_rome']"),
        ],
        ids=["one missing", "all missing", "one unknown", "one twice"],
    )
    def test_outputs_that_do_not_match_the_calls_are_refused(
        self, client: OpenAI, model: Script, waiting: Run, outputs: list[ToolOutput], got: str
    ) -> None:
        with refused(BadRequestError, f"Expected tool outputs for call_ids ['call_rome', 'call_oslo'], got {got}"):
            client.beta.threads.runs.submit_tool_outputs(waiting.id, thread_id=waiting.thread_id, tool_outputs=outputs)
        still = client.beta.threads.runs.retrieve(waiting.id, thread_id=waiting.thread_id)
        assert len(asked(still)) == 2

    def test_outputs_of_a_completed_run_are_refused(self, client: OpenAI, model: Script, waiting: Run) -> None:
        model.says("Done.")
        client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=waiting.id, thread_id=waiting.thread_id, tool_outputs=OUTPUTS, poll_interval_ms=10
        )
        with refused(BadRequestError, 'Runs in status "completed" do not accept tool outputs.'):
            client.beta.threads.runs.submit_tool_outputs(waiting.id, thread_id=waiting.thread_id, tool_outputs=OUTPUTS)

    def test_text_before_the_calls_is_a_separate_message(
        self, client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
    ) -> None:
        model.calls(ROME, says="Let me look.")
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=forecaster.id, poll_interval_ms=10
        )
        asked(run)
        model.says("Sunny.")
        client.beta.threads.runs.submit_tool_outputs_and_poll(
            run_id=run.id, thread_id=thread.id, tool_outputs=OUTPUTS[:1], poll_interval_ms=10
        )
        steps = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id, order="asc")
        assert [step.type for step in steps] == ["message_creation", "tool_calls", "message_creation"]
        assert model.requests[-1].messages[-2]["content"] == "Let me look."


class TestChoice:
    def test_the_tool_choice_reaches_the_model(
        self, client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
    ) -> None:
        model.calls(ROME)
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id,
            assistant_id=forecaster.id,
            tool_choice={"type": "function", "function": {"name": "weather"}},
            parallel_tool_calls=False,
            poll_interval_ms=10,
        )
        assert asked(run)
        assert run.parallel_tool_calls is False
        assert run.tool_choice is not None
        assert not isinstance(run.tool_choice, str)
        assert run.tool_choice.type == "function"
        [request] = model.requests
        assert [function.name for function in request.functions] == ["weather"]
        assert request.tool_choice != "auto"
        assert request.parallel_tool_calls is False

    def test_an_empty_tool_list_replaces_the_assistant_s_tools(
        self, client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
    ) -> None:
        model.says("No idea.")
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=forecaster.id, tools=[], poll_interval_ms=10
        )
        assert (run.status, run.tools) == ("completed", [])
        assert list(model.requests[0].functions) == []


class TestExpiry:
    @pytest.fixture
    def clock(self) -> ManualClock:
        return ManualClock()

    @pytest.fixture
    def start(self, tmp_path: Path, model: Script, clock: ManualClock) -> Start:
        return with_clock(tmp_path / "runstead.db", model.model, clock)

    def test_a_run_without_outputs_expires(
        self, http: Server, clock: ManualClock, client: OpenAI, waiting: Run
    ) -> None:
        run_id, thread_id = waiting.id, waiting.thread_id
        http.call(clock.advance(601))
        run = client.beta.threads.runs.retrieve(run_id, thread_id=thread_id)
        while run.status == "requires_action":
            run = client.beta.threads.runs.retrieve(run_id, thread_id=thread_id)
        assert (run.status, run.required_action) == ("expired", None)
        [step] = client.beta.threads.runs.steps.list(run_id, thread_id=thread_id)
        assert step.status == "expired"
        with refused(BadRequestError, 'Runs in status "expired" do not accept tool outputs.'):
            client.beta.threads.runs.submit_tool_outputs(run_id, thread_id=thread_id, tool_outputs=OUTPUTS)
        client.beta.threads.messages.create(thread_id, role="user", content="Still there?")
