"""Streamed runs: the raw events in order, and the official client's stream helpers."""

from collections.abc import Iterable

import pytest
from openai import NotFoundError, OpenAI, Stream
from openai.types.beta import Assistant, AssistantStreamEvent, Thread
from openai.types.beta.threads import TextContentBlock, TextDeltaBlock
from openai.types.beta.threads.runs import ToolCallDeltaObject

from runstead.llm.scripted import Call, Gate
from tests.compat.script import Script, at, refused

ROME = Call("weather", '{"city":"Rome"}', id="call_rome")
OSLO = Call("weather", '{"city":"Oslo"}', id="call_oslo")

OPENING = ["thread.run.step.created", "thread.run.step.in_progress"]
MESSAGE = [*OPENING, "thread.message.created", "thread.message.in_progress", "thread.message.delta"]
STARTING = ["thread.run.created", "thread.run.queued", "thread.run.in_progress"]


def names(events: Iterable[AssistantStreamEvent]) -> list[str]:
    """The names of events in order. Consecutive deltas count once."""
    found: list[str] = []
    for event in events:
        if not (event.event.endswith(".delta") and found and found[-1] == event.event):
            found.append(event.event)
    return found


def texts(events: Iterable[AssistantStreamEvent]) -> str:
    """The text of all deltas."""
    return "".join(
        part.text.value or ""
        for event in events
        if event.event == "thread.message.delta"
        for part in event.data.delta.content or []
        if isinstance(part, TextDeltaBlock) and part.text
    )


class TestEvents:
    def test_the_events_of_a_message_are_in_order(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello", " there", ".")
        with client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True) as stream:
            events = list(stream)
        assert names(events) == [
            *STARTING,
            *MESSAGE,
            "thread.message.completed",
            "thread.run.step.completed",
            "thread.run.completed",
        ]
        assert texts(events) == "Hello there."
        for event in events:
            if event.event == "thread.message.created":
                assert event.data.content == []
            if event.event == "thread.message.completed":
                assert isinstance(event.data.content[0], TextContentBlock)
                assert event.data.content[0].text.value == "Hello there."
            if event.event == "thread.run.completed":
                assert event.data.usage is not None

    def test_create_and_run_streams_the_thread_first(self, client: OpenAI, model: Script, assistant: Assistant) -> None:
        model.says("Hello")
        with client.beta.threads.create_and_run(
            assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Hi"}]}, stream=True
        ) as stream:
            events = list(stream)
        assert names(events)[:4] == ["thread.created", *STARTING]
        assert events[0].event == "thread.created"
        assert client.beta.threads.retrieve(events[0].data.id).id == events[0].data.id

    def test_tool_calls_end_the_stream_and_their_outputs_start_the_next(
        self, client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
    ) -> None:
        model.calls(ROME, OSLO)
        with client.beta.threads.runs.create(thread.id, assistant_id=forecaster.id, stream=True) as stream:
            events = list(stream)
        assert names(events) == [*STARTING, *OPENING, "thread.run.step.delta", "thread.run.requires_action"]
        assert self.call_ids(events) == ["call_rome", "call_oslo"]
        last = events[-1]
        assert last.event == "thread.run.requires_action"

        model.says("Sun and rain.")
        with client.beta.threads.runs.submit_tool_outputs(
            last.data.id,
            thread_id=thread.id,
            tool_outputs=[
                {"tool_call_id": "call_rome", "output": "sunny"},
                {"tool_call_id": "call_oslo", "output": "rainy"},
            ],
            stream=True,
        ) as stream:
            events = list(stream)
        assert names(events) == [
            "thread.run.step.completed",
            "thread.run.queued",
            "thread.run.in_progress",
            *MESSAGE,
            "thread.message.completed",
            "thread.run.step.completed",
            "thread.run.completed",
        ]

    @staticmethod
    def call_ids(events: Iterable[AssistantStreamEvent]) -> list[str]:
        """The ids of the calls in deltas, with repetitions: the client would concatenate a repeated id."""
        return [
            call.id
            for event in events
            if event.event == "thread.run.step.delta" and isinstance(event.data.delta.step_details, ToolCallDeltaObject)
            for call in event.data.delta.step_details.tool_calls or []
            if call.id
        ]

    def test_a_message_cut_by_its_token_limit_is_incomplete(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Once upon", reason="length")
        with client.beta.threads.runs.create(
            thread.id, assistant_id=assistant.id, max_completion_tokens=256, stream=True
        ) as stream:
            assert names(stream)[-3:] == [
                "thread.message.incomplete",
                "thread.run.step.completed",
                "thread.run.incomplete",
            ]

    def test_a_failure_closes_the_open_message_and_step_before_the_run(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.fails("The line is dead.", after="Half")
        with client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True) as stream:
            events = list(stream)
        assert names(events)[-3:] == ["thread.message.incomplete", "thread.run.step.failed", "thread.run.failed"]
        last = events[-1]
        assert last.event == "thread.run.failed"
        assert last.data.last_error is not None
        assert last.data.last_error.message == "The line is dead."

    def test_a_cancelled_run_ends_its_stream(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says("Once upon", gate, " a time")
        with client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True) as stream:
            events = []
            for event in stream:
                events.append(event)
                if event.event == "thread.message.delta":
                    run = client.beta.threads.runs.list(thread.id).data[0]
                    client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
        assert names(events)[-4:] == [
            "thread.run.cancelling",
            "thread.message.incomplete",
            "thread.run.step.cancelled",
            "thread.run.cancelled",
        ]

    def test_a_refused_run_is_an_error_response_and_not_a_stream(self, client: OpenAI, assistant: Assistant) -> None:
        with refused(NotFoundError, "No thread found with id 'thread_none'."):
            client.beta.threads.runs.create("thread_none", assistant_id=assistant.id, stream=True)

    def test_text_with_any_characters_arrives_unchanged(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        pieces = ["Ça\n\nva?", " 老城的书 ", "👍🏽", '"\\data: [DONE]\r\n', "\u2028"]
        model.says(*pieces)
        with client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True) as stream:
            assert texts(stream) == "".join(pieces)


class TestReaders:
    def test_a_run_continues_when_its_reader_disconnects(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says("Once", gate, " upon a time.")
        with client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, stream=True) as stream:
            for event in stream:
                if event.event == "thread.message.delta":
                    break
        gate.open()
        run = client.beta.threads.runs.list(thread.id).data[0]
        done = client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
        assert done.status == "completed"
        answer = client.beta.threads.messages.list(thread.id).data[0]
        assert isinstance(answer.content[0], TextContentBlock)
        assert answer.content[0].text.value == "Once upon a time."

    def test_a_run_s_events_can_be_read_again_from_the_start(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says("Once", gate, " upon a time.")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        at(gate)
        with self.follow(client, run.id, thread.id) as stream:
            events = []
            for event in stream:
                events.append(event)
                if event.event == "thread.message.delta":
                    gate.open()
        assert names(events)[:3] == STARTING
        assert texts(events) == "Once upon a time."
        assert events[-1].event == "thread.run.completed"
        with self.follow(client, run.id, thread.id) as stream:
            again = names(stream)
        assert [name for name in again if not name.endswith(".delta")] == [
            name for name in names(events) if not name.endswith(".delta")
        ]

    @staticmethod
    def follow(client: OpenAI, run_id: str, thread_id: str) -> Stream[AssistantStreamEvent]:
        """The events of a run from its start. The client has no method for this call."""
        return client.get(
            f"/threads/{thread_id}/runs/{run_id}/events",
            cast_to=object,
            stream=True,
            stream_cls=Stream[AssistantStreamEvent],
            options={"headers": {"OpenAI-Beta": "assistants=v2"}},
        )


class TestHelpers:
    def test_a_stream_has_text_deltas_and_final_objects(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello", " there.")
        with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
            assert "".join(stream.text_deltas) == "Hello there."
            run = stream.get_final_run()
            [step] = stream.get_final_run_steps()
            [message] = stream.get_final_messages()
        assert run.status == "completed"
        assert step.run_id == run.id
        assert message == client.beta.threads.messages.retrieve(message.id, thread_id=thread.id)

    def test_create_and_stream(self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread) -> None:
        model.says("Hello")
        with client.beta.threads.runs.create_and_stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
            stream.until_done()
            assert stream.get_final_run().status == "completed"

    def test_submit_tool_outputs_stream(
        self, client: OpenAI, model: Script, forecaster: Assistant, thread: Thread
    ) -> None:
        model.calls(ROME)
        with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=forecaster.id) as stream:
            run = stream.get_final_run()
        assert run.status == "requires_action"
        model.says("Sunny.")
        with client.beta.threads.runs.submit_tool_outputs_stream(
            run_id=run.id,
            thread_id=thread.id,
            tool_outputs=[{"tool_call_id": "call_rome", "output": "sunny"}],
        ) as stream:
            assert "".join(stream.text_deltas) == "Sunny."
            assert stream.get_final_run().status == "completed"

    @pytest.mark.parametrize("said", ["Once upon", ""])
    def test_the_final_message_of_an_incomplete_run_is_incomplete(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread, said: str
    ) -> None:
        model.says(said, reason="length")
        with client.beta.threads.runs.stream(thread_id=thread.id, assistant_id=assistant.id) as stream:
            [message] = stream.get_final_messages()
            assert stream.get_final_run().status == "incomplete"
        assert message.status == "incomplete"
