"""The application stops in the middle of a run, and starts again over the same database."""

from openai import OpenAI
from openai.types.beta.threads import Run, TextContentBlock

from runstead.llm.scripted import Call, Gate
from tests.compat.conftest import WEATHER, Server, Start
from tests.compat.script import Script, at


def answer(client: OpenAI, thread_id: str) -> str:
    """The newest message of a thread."""
    part = client.beta.threads.messages.list(thread_id).data[0].content[0]
    assert isinstance(part, TextContentBlock)
    return part.text.value


def connect(url: str) -> OpenAI:
    return OpenAI(base_url=url, api_key="any", max_retries=0, timeout=20)


def begin(client: OpenAI) -> Run:
    """A run that was just made, on a thread of its own."""
    assistant = client.beta.assistants.create(model="gpt-4o", tools=[WEATHER])
    return client.beta.threads.create_and_run(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}
    )


class TestRestart:
    def test_a_run_is_recovered_in_the_middle_of_its_message(self, http: Server, start: Start, model: Script) -> None:
        gate = Gate()
        model.says("Once", gate, " upon a time.")
        with http.serving(start) as url, connect(url) as client:
            run = begin(client)
            at(gate)
        model.says("Once upon a time.")
        with http.serving(start) as url, connect(url) as client:
            done = client.beta.threads.runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=10)
            assert done.status == "completed"
            assert answer(client, run.thread_id) == "Once upon a time."
            steps = client.beta.threads.runs.steps.list(run.id, thread_id=run.thread_id, order="asc")
            assert [step.status for step in steps] == ["failed", "completed"]
            messages = client.beta.threads.messages.list(run.thread_id, order="asc")
            assert [message.status for message in messages] == ["completed", "incomplete", "completed"]

    def test_a_run_that_requires_outputs_still_requires_them(self, http: Server, start: Start, model: Script) -> None:
        model.calls(Call("weather", '{"city":"Rome"}', id="call_rome"))
        with http.serving(start) as url, connect(url) as client:
            run = begin(client)
            run = client.beta.threads.runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=10)
        with http.serving(start) as url, connect(url) as client:
            assert client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id) == run
            model.says("Sunny.")
            done = client.beta.threads.runs.submit_tool_outputs_and_poll(
                run_id=run.id,
                thread_id=run.thread_id,
                tool_outputs=[{"tool_call_id": "call_rome", "output": "sunny"}],
                poll_interval_ms=10,
            )
            assert done.status == "completed"
            assert answer(client, run.thread_id) == "Sunny."
        assert len(model.requests) == 2

    def test_an_ended_run_does_not_change(self, http: Server, start: Start, model: Script) -> None:
        model.says("Hello")
        with http.serving(start) as url, connect(url) as client:
            run = begin(client)
            run = client.beta.threads.runs.poll(run.id, thread_id=run.thread_id, poll_interval_ms=10)
        with http.serving(start) as url, connect(url) as client:
            assert client.beta.threads.runs.retrieve(run.id, thread_id=run.thread_id) == run
            assert answer(client, run.thread_id) == "Hello"
        assert len(model.requests) == 1

    def test_a_stream_ends_when_its_server_stops_and_the_run_completes_later(
        self, http: Server, start: Start, model: Script
    ) -> None:
        gate = Gate()
        model.says("Once", gate)
        names: list[str] = []
        with http.serving(start) as url:
            client = connect(url)
            assistant = client.beta.assistants.create(model="gpt-4o", instructions="Be brief.")
            thread = client.beta.threads.create()
            stream = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True)
            for event in stream:
                names.append(event.event)
                if event.event == "thread.message.delta":
                    break
        names += [event.event for event in stream]
        client.close()
        assert names[-1] != "thread.run.completed"
        model.says("Once upon a time.")
        with http.serving(start) as url, connect(url) as client:
            run = client.beta.threads.runs.list(thread.id).data[0]
            done = client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
            assert done.status == "completed"
