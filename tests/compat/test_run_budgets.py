"""The budgets and lifetimes beyond the original API, given by the official client in `extra_body`."""

from pathlib import Path

import pytest
from openai import BadRequestError, OpenAI
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Run

from runstead.llm.scripted import call
from tests.compat.conftest import Server, Start, with_clock
from tests.compat.script import Script, refused
from tests.support.clock import ManualClock

ROME, OSLO = call("weather", city="Rome"), call("weather", city="Oslo")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def start(tmp_path: Path, model: Script, clock: ManualClock) -> Start:
    return with_clock(tmp_path / "runstead.db", model.model, clock)


def reason(run: Run) -> str | None:
    return run.incomplete_details.reason if run.incomplete_details else None


def test_expires_after_sets_the_lifetime(client: OpenAI, model: Script, assistant: Assistant, thread: Thread) -> None:
    model.says("Hello")
    run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, extra_body={"expires_after": 259_200})
    assert run.expires_at == run.created_at + 259_200


def test_create_and_run_takes_the_budgets(client: OpenAI, model: Script, assistant: Assistant) -> None:
    model.says("Hello")
    budgets = {"expires_after": 60, "max_total_tokens": 5000, "max_tool_calls": 1, "max_seconds": 30}
    run = client.beta.threads.create_and_run(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}, extra_body=budgets
    )
    assert run.expires_at == run.created_at + 60
    assert run.model_extra is not None
    shown = {name: run.model_extra.get(name) for name in budgets}
    assert shown == {**budgets, "expires_after": None}


def test_a_run_without_budgets_shows_none(client: OpenAI, model: Script, assistant: Assistant, thread: Thread) -> None:
    model.says("Hello")
    run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert run.expires_at == run.created_at + 600
    assert not {"max_total_tokens", "max_tool_calls", "max_seconds"} & set(run.model_extra or ())


def test_a_run_over_max_tool_calls_is_incomplete(
    client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    model.calls(ROME, OSLO)
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=forecaster.id, extra_body={"max_tool_calls": 1}, poll_interval_ms=10
    )
    assert (run.status, reason(run), run.required_action) == ("incomplete", "max_tool_calls", None)
    [step] = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
    assert step.status == "failed"


def test_the_stream_of_a_run_over_max_tool_calls_ends(
    client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    model.calls(ROME, OSLO, says="Let me see.")
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=forecaster.id, extra_body={"max_tool_calls": 1}
    ) as stream:
        names = [event.event for event in stream]
    assert names[-2:] == ["thread.run.step.failed", "thread.run.incomplete"]


def test_a_run_over_max_seconds_is_incomplete(
    http: Server, clock: ManualClock, client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
) -> None:
    model.calls(ROME)
    run = client.beta.threads.runs.create_and_poll(
        thread_id=thread.id, assistant_id=forecaster.id, extra_body={"max_seconds": 60}, poll_interval_ms=10
    )
    http.call(clock.advance(61))
    while run.status == "requires_action":
        run = client.beta.threads.runs.retrieve(run.id, thread_id=thread.id)
    assert (run.status, reason(run), run.required_action) == ("incomplete", "max_seconds", None)
    with refused(BadRequestError, 'Runs in status "incomplete" do not accept tool outputs.'):
        client.beta.threads.runs.submit_tool_outputs(run.id, thread_id=thread.id, tool_outputs=[])


@pytest.mark.parametrize(
    ("field", "given", "limit", "code"),
    [
        ("expires_after", 0, ">= 1", "integer_below_min_value"),
        ("expires_after", 2_592_001, "<= 2592000", "integer_above_max_value"),
        ("max_total_tokens", 0, ">= 1", "integer_below_min_value"),
        ("max_tool_calls", 0, ">= 1", "integer_below_min_value"),
        ("max_seconds", 0, ">= 1", "integer_below_min_value"),
    ],
)
def test_a_budget_out_of_bounds_is_refused(
    client: OpenAI, assistant: Assistant, thread: Thread, field: str, given: int, limit: str, code: str
) -> None:
    word = "below minimum" if given == 0 else "above maximum"
    message = f"Invalid '{field}': integer {word} value. Expected a value {limit}, but got {given} instead."
    with refused(BadRequestError, message, param=field, code=code):
        client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, extra_body={field: given})
