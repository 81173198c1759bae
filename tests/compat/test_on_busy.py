"""`on_busy` with the official client, given in `extra_body`."""

from openai import OpenAI
from openai.types.beta import Assistant, Thread

from runstead.llm.scripted import Gate
from tests.compat.script import Script, answers, at

ENQUEUE = {"on_busy": "enqueue"}


def test_enqueued_messages_and_runs_wait_for_the_active_run(
    client: OpenAI, model: Script, assistant: Assistant, thread: Thread
) -> None:
    gate = Gate()
    model.says(gate, "One")
    model.says("Two")
    first = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    at(gate)
    client.beta.threads.messages.create(thread.id, role="user", content="And?", extra_body=ENQUEUE)
    second = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, extra_body=ENQUEUE)
    assert second.status == "queued"
    gate.open()
    done = client.beta.threads.runs.poll(second.id, thread_id=thread.id, poll_interval_ms=10)
    assert done.status == "completed"
    assert client.beta.threads.runs.retrieve(first.id, thread_id=thread.id).status == "completed"
    assert answers(client, thread.id) == ["Two", "And?", "One", "Hi"]


def test_a_streamed_run_can_interrupt_the_active_run(
    client: OpenAI, model: Script, assistant: Assistant, thread: Thread
) -> None:
    gate = Gate()
    model.says("Once upon", gate)
    model.says("Two")
    first = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
    at(gate)
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, extra_body={"on_busy": "interrupt"}
    ) as stream:
        stream.until_done()
    assert client.beta.threads.runs.retrieve(first.id, thread_id=thread.id).status == "cancelled"
    assert answers(client, thread.id) == ["Two", "Once upon", "Hi"]
