"""Runs that are refused, incomplete, failed or cancelled."""

from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.beta import Assistant, Thread

from runstead.llm.scripted import Gate
from tests.compat.script import Script, answers, at, refused


class TestRefusals:
    def test_a_run_of_an_unknown_assistant_is_refused(self, client: OpenAI, thread: Thread) -> None:
        with refused(NotFoundError, "No assistant found with id 'asst_none'."):
            client.beta.threads.runs.create(thread.id, assistant_id="asst_none")

    def test_an_unknown_model_is_refused(self, client: OpenAI, assistant: Assistant, thread: Thread) -> None:
        with refused(
            BadRequestError,
            "The requested model 'no-such-model' cannot be used with the Assistants API.",
            param="model",
            code="unsupported_model",
        ):
            client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, model="no-such-model")

    def test_a_run_without_messages_and_instructions_is_refused(self, client: OpenAI) -> None:
        bare = client.beta.assistants.create(model="gpt-4o")
        with refused(
            BadRequestError,
            "Run creation requires a Thread with a user message or an assistant with instructions.",
            code="invalid_thread",
        ):
            client.beta.threads.create_and_run(assistant_id=bare.id)


class TestEnds:
    def test_a_run_that_reaches_its_token_limit_is_incomplete(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Once upon", reason="length", prompt=10, completion=300)
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, max_completion_tokens=300, poll_interval_ms=10
        )
        assert run.status == "incomplete"
        assert run.incomplete_details is not None
        assert run.incomplete_details.reason == "max_completion_tokens"
        assert run.completed_at is not None
        assert run.usage is not None
        assert run.usage.completion_tokens == 300
        message = client.beta.threads.messages.list(thread.id).data[0]
        assert message.status == "incomplete"
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "max_tokens"
        assert answers(client, thread.id)[0] == "Once upon"
        [step] = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
        assert step.status == "completed"

    def test_a_run_whose_prompt_exceeds_its_budget_is_incomplete(
        self, client: OpenAI, model: Script, thread: Thread
    ) -> None:
        wordy = client.beta.assistants.create(model="gpt-4o", instructions="Be brief. " * 1000)
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=wordy.id, max_prompt_tokens=256, poll_interval_ms=10
        )
        assert run.status == "incomplete"
        assert run.incomplete_details is not None
        assert run.incomplete_details.reason == "max_prompt_tokens"
        assert model.requests == []

    def test_a_failed_run_has_its_error_and_unlocks_the_thread(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.fails("The model is on fire.")
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
        )
        assert run.status == "failed"
        assert run.last_error is not None
        assert (run.last_error.code, run.last_error.message) == ("server_error", "The model is on fire.")
        assert run.failed_at is not None
        model.says("Better now.")
        again = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
        )
        assert again.status == "completed"

    def test_a_failure_in_the_middle_keeps_the_text_so_far(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.fails("The line is dead.", after="Half an ans", code="rate_limit_exceeded")
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
        )
        assert run.last_error is not None
        assert run.last_error.code == "rate_limit_exceeded"
        message = client.beta.threads.messages.list(thread.id).data[0]
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "run_failed"
        assert answers(client, thread.id)[0] == "Half an ans"
        [step] = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
        assert step.status == "failed"
        assert step.last_error is not None
        assert step.last_error.message == "The line is dead."


class TestLock:
    def test_a_thread_is_locked_while_a_run_is_active(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says(gate, "Hello")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        at(gate)
        with refused(BadRequestError, f"Can't add messages to {thread.id} while a run {run.id} is active."):
            client.beta.threads.messages.create(thread.id, role="user", content="And?")
        with refused(BadRequestError, f"Thread {thread.id} already has an active run {run.id}."):
            client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        assert client.beta.threads.runs.retrieve(run.id, thread_id=thread.id).status == "in_progress"
        gate.open()
        client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
        client.beta.threads.messages.create(thread.id, role="user", content="And?")
        assert answers(client, thread.id) == ["And?", "Hello", "Hi"]


class TestCancel:
    def test_a_run_is_cancelled_in_the_middle_of_its_message(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says("Once upon", gate, " a time")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        at(gate)
        asked = client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
        assert (asked.id, asked.status) == (run.id, "cancelling")
        done = client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
        assert done.status == "cancelled"
        assert done.cancelled_at is not None
        assert model.model.closed.wait_blocking(10)
        message = client.beta.threads.messages.list(thread.id).data[0]
        assert message.incomplete_details is not None
        assert message.incomplete_details.reason == "run_cancelled"
        assert answers(client, thread.id)[0] == "Once upon"
        [step] = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
        assert (step.status, step.cancelled_at is None) == ("cancelled", False)

    def test_a_cancelled_run_cannot_be_cancelled(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says(gate, "Hello")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        at(gate)
        client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
        client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
        with refused(BadRequestError, "Cannot cancel run with status 'cancelled'."):
            client.beta.threads.runs.cancel(run.id, thread_id=thread.id)
        model.says("Free again.")
        again = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
        )
        assert again.status == "completed"

    def test_a_run_can_be_cancelled_as_soon_as_it_is_created(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says(Gate(), "Never said")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        assert client.beta.threads.runs.cancel(run.id, thread_id=thread.id).status == "cancelling"
        done = client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
        assert (done.status, done.required_action) == ("cancelled", None)
        assert answers(client, thread.id) == ["Hi"]
