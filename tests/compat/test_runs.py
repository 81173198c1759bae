"""Runs that are created and polled, their options, steps and lists."""

from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.beta import Assistant, Thread
from openai.types.beta.threads.runs import MessageCreationStepDetails

from runstead.llm.scripted import Gate
from tests.compat.script import Script, answers, at, refused


class TestPolling:
    def test_a_run_adds_its_message_to_the_thread(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello", " there.", prompt=12, completion=42)
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        assert (run.object, run.status, run.thread_id) == ("thread.run", "queued", thread.id)
        assert run.assistant_id == assistant.id
        assert run.expires_at == run.created_at + 600

        done = client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
        assert (done.id, done.status) == (run.id, "completed")
        assert done.started_at is not None
        assert done.completed_at is not None
        assert (done.expires_at, done.cancelled_at, done.failed_at) == (None, None, None)
        assert (done.last_error, done.incomplete_details, done.required_action) == (None, None, None)
        assert done.usage is not None
        assert (done.usage.prompt_tokens, done.usage.completion_tokens, done.usage.total_tokens) == (12, 42, 54)

        answer, question = client.beta.threads.messages.list(thread.id)
        assert question.run_id is None
        assert (answer.role, answer.run_id, answer.assistant_id) == ("assistant", run.id, assistant.id)
        assert (answer.status, answer.completed_at is None) == ("completed", False)
        assert answers(client, thread.id) == ["Hello there.", "Hi"]

    def test_polling_uses_the_server_s_interval_by_default(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello")
        run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
        assert run.status == "completed"

    def test_create_and_run_creates_a_thread_with_its_run(
        self, client: OpenAI, model: Script, assistant: Assistant
    ) -> None:
        model.says("Hello")
        run = client.beta.threads.create_and_run_poll(
            assistant_id=assistant.id,
            thread={"messages": [{"role": "user", "content": "Hi"}], "metadata": {"a": "1"}},
            poll_interval_ms=10,
        )
        assert run.status == "completed"
        assert client.beta.threads.retrieve(run.thread_id).metadata == {"a": "1"}
        assert answers(client, run.thread_id) == ["Hello", "Hi"]

    def test_the_model_gets_the_messages_of_earlier_runs(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        for number in ("first", "second"):
            model.says(number)
            client.beta.threads.runs.create_and_poll(
                thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
            )
        assert [each["content"] for each in model.requests[-1].messages] == ["Be brief.", "Hi", "first"]


class TestOptions:
    def test_a_run_shows_its_options_and_defaults(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        assert (run.model, run.instructions, run.tools) == (assistant.model, "Be brief.", [])
        assert (run.metadata, run.usage, run.tool_choice, run.parallel_tool_calls) == ({}, None, "auto", True)
        assert (run.temperature, run.top_p, run.response_format) == (1.0, 1.0, "auto")
        assert (run.max_prompt_tokens, run.max_completion_tokens) == (None, None)
        assert run.truncation_strategy is not None
        assert run.truncation_strategy.model_dump() == {"type": "auto", "last_messages": None}

    def test_a_null_shows_the_default_and_is_no_choice(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello")
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, temperature=None, top_p=None, poll_interval_ms=10
        )
        assert (run.temperature, run.top_p) == (1.0, 1.0)
        assert (model.requests[0].temperature, model.requests[0].top_p) == (None, None)

    def test_a_run_without_instructions_shows_null(self, client: OpenAI, model: Script, thread: Thread) -> None:
        model.says("Hello")
        bare = client.beta.assistants.create(model="gpt-4o")
        run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=bare.id, poll_interval_ms=10)
        # The client's type says it is never null; the hosted service sent null all the same.
        assert run.model_dump()["instructions"] is None
        assert [each["role"] for each in model.requests[0].messages] == ["user"]

    def test_a_runs_own_options_replace_the_assistants(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello")
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id,
            assistant_id=assistant.id,
            model="gpt-4o-mini",
            instructions="Rhyme.",
            additional_instructions="Loudly.",
            additional_messages=[{"role": "user", "content": "Now?"}],
            metadata={"a": "1"},
            temperature=0.5,
            top_p=0.8,
            response_format={"type": "json_object"},
            reasoning_effort="low",
            truncation_strategy={"type": "last_messages", "last_messages": 1},
            max_completion_tokens=300,
            max_prompt_tokens=1000,
            include=["step_details.tool_calls[*].file_search.results[*].content"],
            poll_interval_ms=10,
        )
        assert run.status == "completed"
        assert (run.model, run.metadata, run.temperature, run.top_p) == ("gpt-4o-mini", {"a": "1"}, 0.5, 0.8)
        assert (run.max_prompt_tokens, run.max_completion_tokens) == (1000, 300)
        assert answers(client, thread.id) == ["Hello", "Now?", "Hi"]

        [request] = model.requests
        assert (request.model, request.temperature, request.top_p) == ("gpt-4o-mini", 0.5, 0.8)
        assert (request.reasoning_effort, request.max_completion_tokens) == ("low", 300)
        system, question = request.messages
        assert "Rhyme." in system["content"]
        assert "Loudly." in system["content"]
        assert question == {"role": "user", "content": "Now?"}

    def test_images_reach_the_model(self, client: OpenAI, model: Script, assistant: Assistant) -> None:
        model.says("A cat.")
        client.beta.threads.create_and_run_poll(
            assistant_id=assistant.id,
            thread={
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "text", "text": "What is it?"},
                            {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
                        ],
                    }
                ]
            },
            poll_interval_ms=10,
        )
        assert model.requests[0].messages[-1]["content"] == [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}},
        ]

    def test_a_token_limit_below_the_minimum_is_refused(
        self, client: OpenAI, assistant: Assistant, thread: Thread
    ) -> None:
        with refused(
            BadRequestError,
            "Invalid 'max_completion_tokens': integer below minimum value. "
            "Expected a value >= 256, but got 10 instead.",
            param="max_completion_tokens",
            code="integer_below_min_value",
        ):
            client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, max_completion_tokens=10)

    def test_metadata_can_be_changed_while_the_run_is_active(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says(gate, "Hello")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id, metadata={"a": "1"})
        at(gate)
        assert client.beta.threads.runs.update(run.id, thread_id=thread.id, metadata={"b": "2"}).metadata == {"b": "2"}
        gate.open()
        done = client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)
        assert (done.status, done.metadata) == ("completed", {"b": "2"})


class TestSteps:
    def test_a_run_has_no_steps_before_the_model_responds(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        gate = Gate()
        model.says(gate, "Hello")
        run = client.beta.threads.runs.create(thread.id, assistant_id=assistant.id)
        at(gate)
        assert client.beta.threads.runs.steps.list(run.id, thread_id=thread.id).data == []
        gate.open()
        client.beta.threads.runs.poll(run.id, thread_id=thread.id, poll_interval_ms=10)

    def test_a_message_is_one_step(self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread) -> None:
        model.says("Hello", prompt=7, completion=3)
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
        )
        [step] = client.beta.threads.runs.steps.list(run.id, thread_id=thread.id)
        assert (step.object, step.type, step.status) == ("thread.run.step", "message_creation", "completed")
        assert (step.run_id, step.thread_id, step.assistant_id) == (run.id, thread.id, assistant.id)
        assert (step.completed_at is None, step.last_error) == (False, None)
        assert step.usage is not None
        assert step.usage.total_tokens == 10
        answer = client.beta.threads.messages.list(thread.id).data[0]
        assert isinstance(step.step_details, MessageCreationStepDetails)
        assert step.step_details.message_creation.message_id == answer.id
        again = client.beta.threads.runs.steps.retrieve(
            step.id,
            thread_id=thread.id,
            run_id=run.id,
            include=["step_details.tool_calls[*].file_search.results[*].content"],
        )
        assert again == step

    def test_an_unknown_step_is_not_found(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        model.says("Hello")
        run = client.beta.threads.runs.create_and_poll(
            thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
        )
        with refused(NotFoundError, "No run step found with id 'step_123'."):
            client.beta.threads.runs.steps.retrieve("step_123", thread_id=thread.id, run_id=run.id)


class TestLists:
    def test_runs_are_listed_newest_first(
        self, client: OpenAI, model: Script, assistant: Assistant, thread: Thread
    ) -> None:
        made = []
        for number in range(3):
            model.says(str(number))
            run = client.beta.threads.runs.create_and_poll(
                thread_id=thread.id, assistant_id=assistant.id, poll_interval_ms=10
            )
            made.append(run.id)
        assert [run.id for run in client.beta.threads.runs.list(thread.id, limit=1)] == made[::-1]
        assert [run.id for run in client.beta.threads.runs.list(thread.id, limit=2, order="asc")] == made
        second = client.beta.threads.messages.list(thread.id, run_id=made[1])
        assert [message.run_id for message in second] == [made[1]]
