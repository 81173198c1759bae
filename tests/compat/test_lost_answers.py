"""Responses to the official client are lost. It retries, and nothing is done twice."""

from collections.abc import Iterator

import pytest
from openai import APIConnectionError, OpenAI
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads import Run

from runstead.llm.scripted import call
from tests.compat.script import Script, answers
from tests.support.lost_answers import LossyProxy, lossy_proxy


@pytest.fixture
def proxy(server: str) -> Iterator[LossyProxy]:
    with lossy_proxy(server) as proxy:
        yield proxy


@pytest.fixture
def repeating(proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAI]:
    """A client with its default retries, without their pauses, behind a proxy that loses messages."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    with OpenAI(base_url=proxy.url, api_key="any", timeout=20) as client:
        yield client


@pytest.fixture
def losing(repeating: OpenAI, proxy: LossyProxy) -> Iterator[OpenAI]:
    """A client that loses the next two responses: as many as it retries by default."""
    proxy.lose_answers(2)
    yield repeating
    assert proxy.lost_all


def runs(client: OpenAI, thread: Thread) -> list[str]:
    return [run.id for run in client.beta.threads.runs.list(thread.id)]


def test_a_retried_call_creates_one_assistant(client: OpenAI, losing: OpenAI) -> None:
    made = losing.beta.assistants.create(model="gpt-4o")
    assert [assistant.id for assistant in client.beta.assistants.list()] == [made.id]


def test_a_retried_call_creates_one_thread(client: OpenAI, losing: OpenAI) -> None:
    made = losing.beta.threads.create(messages=[{"role": "user", "content": "Hi"}])
    listed = client.get("/threads", cast_to=object, options={"headers": {"OpenAI-Beta": "assistants=v2"}})
    assert isinstance(listed, dict)
    assert [thread["id"] for thread in listed["data"]] == [made.id]


def test_a_retried_call_creates_one_message(client: OpenAI, losing: OpenAI, thread: Thread) -> None:
    made = losing.beta.threads.messages.create(thread.id, role="user", content="And?")
    assert next(iter(client.beta.threads.messages.list(thread.id))).id == made.id
    assert answers(client, thread.id) == ["And?", "Hi"]


def test_a_retried_call_creates_one_run(
    client: OpenAI, losing: OpenAI, model: Script, assistant: Assistant, thread: Thread
) -> None:
    model.says("Hello!")
    made = losing.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert client.beta.threads.runs.poll(made.id, thread_id=thread.id).status == "completed"
    assert runs(client, thread) == [made.id]
    assert len(model.requests) == 1


def test_a_retried_call_creates_one_thread_with_one_run(
    client: OpenAI, losing: OpenAI, model: Script, assistant: Assistant
) -> None:
    model.says("Hello!")
    made = losing.beta.threads.create_and_run(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}
    )
    assert client.beta.threads.runs.poll(made.id, thread_id=made.thread_id).status == "completed"
    assert len(model.requests) == 1


def test_a_retried_stream_has_all_events_of_one_run(
    client: OpenAI, losing: OpenAI, model: Script, assistant: Assistant, thread: Thread
) -> None:
    model.says("Hello", " there!")
    with losing.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
        events = list(stream)
    assert events[0].event == "thread.run.created"
    assert events[-1].event == "thread.run.completed"
    assert answers(client, thread.id) == ["Hello there!", "Hi"]
    assert runs(client, thread) == [events[0].data.id]


@pytest.fixture
def waiting(client: OpenAI, model: Script, forecaster: Assistant, thread: Thread) -> Run:
    """A run that waits for the outputs of its calls."""
    model.calls(call("weather", city="Oslo"))
    run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=forecaster.id)
    assert run.status == "requires_action"
    return run


def outputs(run: Run) -> list[dict[str, str]]:
    assert run.required_action is not None
    return [{"tool_call_id": call.id, "output": "sunny"} for call in run.required_action.submit_tool_outputs.tool_calls]


def test_retried_outputs_are_submitted_once(client: OpenAI, losing: OpenAI, model: Script, waiting: Run) -> None:
    model.says("It is sunny.")
    taken = losing.beta.threads.runs.submit_tool_outputs(
        waiting.id,
        thread_id=waiting.thread_id,
        tool_outputs=outputs(waiting),  # type: ignore[arg-type]
    )
    assert taken.status == "queued"
    assert client.beta.threads.runs.poll(waiting.id, thread_id=waiting.thread_id).status == "completed"
    assert len(model.requests) == 2


def test_retried_streamed_outputs_are_submitted_once(losing: OpenAI, model: Script, waiting: Run) -> None:
    model.says("It is sunny.")
    with losing.beta.threads.runs.submit_tool_outputs_stream(
        run_id=waiting.id,
        thread_id=waiting.thread_id,
        tool_outputs=outputs(waiting),  # type: ignore[arg-type]
    ) as stream:
        events = [event.event for event in stream]
    assert events[0] == "thread.run.step.completed"
    assert events[-1] == "thread.run.completed"
    assert "thread.run.created" not in events


def test_a_retried_cancel_gets_the_first_response(losing: OpenAI, waiting: Run) -> None:
    assert losing.beta.threads.runs.cancel(waiting.id, thread_id=waiting.thread_id).status == "cancelling"


def test_a_retried_request_that_never_arrived_is_carried_out(
    client: OpenAI, repeating: OpenAI, proxy: LossyProxy, thread: Thread
) -> None:
    for text in ("again", "again"):
        proxy.lose_request()
        repeating.beta.threads.messages.create(thread.id, role="user", content=text)
        repeating.beta.threads.update(thread.id, metadata={"seen": text})
    assert answers(client, thread.id) == ["again", "again", "Hi"]


def test_identical_turns_are_not_taken_for_retries(
    client: OpenAI, repeating: OpenAI, proxy: LossyProxy, model: Script, assistant: Assistant, thread: Thread
) -> None:
    for answer in ("One", "Two", "Three"):
        model.says(answer)
        repeating.beta.threads.messages.create(thread.id, role="user", content="go on")
        proxy.lose_request()
        run = repeating.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert run.status == "completed"
    assert answers(client, thread.id) == ["Three", "go on", "Two", "go on", "One", "go on", "Hi"]


def test_two_identical_calls_are_carried_out_twice(client: OpenAI, repeating: OpenAI, thread: Thread) -> None:
    for _ in range(2):
        repeating.beta.threads.messages.create(thread.id, role="user", content="again")
    assert answers(client, thread.id) == ["again", "again", "Hi"]


def test_a_client_whose_retries_all_fail_has_created_one_run(
    client: OpenAI, repeating: OpenAI, proxy: LossyProxy, model: Script, assistant: Assistant, thread: Thread
) -> None:
    model.says("Hello!")
    proxy.lose_answers(3)
    with pytest.raises(APIConnectionError):
        repeating.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    [run] = runs(client, thread)
    assert client.beta.threads.runs.poll(run, thread_id=thread.id).status == "completed"
    assert len(model.requests) == 1
