"""The official client, unmodified, repeats what it got no answer to; nothing is done twice."""

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
    """A client that repeats as it does by itself, without its pauses, and whose answers get lost."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.001)
    with OpenAI(base_url=proxy.url, api_key="any", timeout=20) as client:
        yield client


@pytest.fixture(params=[1, 2])
def times(request: pytest.FixtureRequest) -> int:
    """How many answers in a row are lost: as many as the client repeats by itself."""
    given: int = request.param
    return given


@pytest.fixture
def losing(repeating: OpenAI, proxy: LossyProxy, times: int) -> Iterator[OpenAI]:
    """The next answers get lost."""
    proxy.lose_answers(times)
    yield repeating
    assert proxy.lost_all


def runs(client: OpenAI, thread: Thread) -> list[str]:
    return [run.id for run in client.beta.threads.runs.list(thread.id)]


def test_one_assistant_is_made(client: OpenAI, losing: OpenAI) -> None:
    made = losing.beta.assistants.create(model="gpt-4o")
    assert [assistant.id for assistant in client.beta.assistants.list()] == [made.id]


def test_one_thread_is_made(client: OpenAI, losing: OpenAI) -> None:
    made = losing.beta.threads.create(messages=[{"role": "user", "content": "Hi"}])
    listed = client.get("/threads", cast_to=object, options={"headers": {"OpenAI-Beta": "assistants=v2"}})
    assert isinstance(listed, dict)
    assert [thread["id"] for thread in listed["data"]] == [made.id]


def test_one_message_is_made(client: OpenAI, losing: OpenAI, thread: Thread) -> None:
    made = losing.beta.threads.messages.create(thread.id, role="user", content="And?")
    assert next(iter(client.beta.threads.messages.list(thread.id))).id == made.id
    assert answers(client, thread.id) == ["And?", "Hi"]


def test_one_run_is_made(client: OpenAI, losing: OpenAI, model: Script, assistant: Assistant, thread: Thread) -> None:
    model.says("Hello!")
    made = losing.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    assert client.beta.threads.runs.poll(made.id, thread_id=thread.id).status == "completed"
    assert runs(client, thread) == [made.id]
    assert len(model.requests) == 1


def test_one_thread_with_one_run_is_made(client: OpenAI, losing: OpenAI, model: Script, assistant: Assistant) -> None:
    model.says("Hello!")
    made = losing.beta.threads.create_and_run(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}
    )
    assert client.beta.threads.runs.poll(made.id, thread_id=made.thread_id).status == "completed"
    assert len(model.requests) == 1


def test_a_stream_is_heard_from_its_beginning_and_runs_once(
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


def test_outputs_are_taken_once(client: OpenAI, losing: OpenAI, model: Script, waiting: Run) -> None:
    model.says("It is sunny.")
    taken = losing.beta.threads.runs.submit_tool_outputs(
        waiting.id,
        thread_id=waiting.thread_id,
        tool_outputs=outputs(waiting),  # type: ignore[arg-type]
    )
    assert taken.status == "queued"
    assert client.beta.threads.runs.poll(waiting.id, thread_id=waiting.thread_id).status == "completed"
    assert len(model.requests) == 2


def test_outputs_that_are_streamed_are_taken_once(losing: OpenAI, model: Script, waiting: Run) -> None:
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


def test_a_cancel_is_answered_as_it_was(losing: OpenAI, waiting: Run) -> None:
    assert losing.beta.threads.runs.cancel(waiting.id, thread_id=waiting.thread_id).status == "cancelling"


def test_what_never_arrived_is_done(client: OpenAI, repeating: OpenAI, proxy: LossyProxy, thread: Thread) -> None:
    for text in ("again", "again"):
        proxy.lose_request()
        repeating.beta.threads.messages.create(thread.id, role="user", content=text)
        repeating.beta.threads.update(thread.id, metadata={"seen": text})
    assert answers(client, thread.id) == ["again", "again", "Hi"]


def test_a_turn_that_looks_like_the_last_one_is_another_turn(
    client: OpenAI, repeating: OpenAI, proxy: LossyProxy, model: Script, assistant: Assistant, thread: Thread
) -> None:
    for answer in ("One", "Two", "Three"):
        model.says(answer)
        repeating.beta.threads.messages.create(thread.id, role="user", content="go on")
        proxy.lose_request()
        run = repeating.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert run.status == "completed"
    assert answers(client, thread.id) == ["Three", "go on", "Two", "go on", "One", "go on", "Hi"]


def test_what_is_meant_twice_is_done_twice(client: OpenAI, repeating: OpenAI, thread: Thread) -> None:
    for _ in range(2):
        repeating.beta.threads.messages.create(thread.id, role="user", content="again")
    assert answers(client, thread.id) == ["again", "again", "Hi"]


def test_a_client_that_gives_up_has_asked_for_one_run(
    client: OpenAI, repeating: OpenAI, proxy: LossyProxy, model: Script, assistant: Assistant, thread: Thread
) -> None:
    model.says("Hello!")
    proxy.lose_answers(3)
    with pytest.raises(APIConnectionError):
        repeating.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    [run] = runs(client, thread)
    assert client.beta.threads.runs.poll(run, thread_id=thread.id).status == "completed"
    assert len(model.requests) == 1
