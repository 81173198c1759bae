"""The official client with its options for Azure OpenAI, and the prefixes that clients for Azure call."""

from collections.abc import Iterator

import pytest
from openai import AzureOpenAI, OpenAI
from openai.types.beta import AssistantStreamEvent

from runstead.llm.scripted import call
from tests.compat.script import Script, answers


@pytest.fixture(params=["", "gpt-4o"], ids=["endpoint", "deployment"])
def azure(request: pytest.FixtureRequest, server: str) -> Iterator[AzureOpenAI]:
    """A client with the server's root, with or without a deployment."""
    with AzureOpenAI(
        azure_endpoint=server.removesuffix("/v1"),
        azure_deployment=request.param or None,
        api_version="2024-05-01-preview",
        api_key="any",
        max_retries=0,
        timeout=20,
    ) as client:
        yield client


def test_a_run_of_a_client_for_azure(azure: AzureOpenAI, model: Script) -> None:
    model.calls(call("weather", city="Oslo"))
    model.says("Rain.")
    assistant = azure.beta.assistants.create(
        model="gpt-4o", tools=[{"type": "function", "function": {"name": "weather"}}]
    )
    run = azure.beta.threads.create_and_run_poll(
        assistant_id=assistant.id, thread={"messages": [{"role": "user", "content": "Oslo?"}]}, poll_interval_ms=10
    )
    assert (run.status, run.model) == ("requires_action", "gpt-4o")
    assert run.required_action is not None
    [asked] = run.required_action.submit_tool_outputs.tool_calls
    stream = azure.beta.threads.runs.submit_tool_outputs(
        run.id, thread_id=run.thread_id, tool_outputs=[{"tool_call_id": asked.id, "output": "rain"}], stream=True
    )
    events: list[AssistantStreamEvent] = list(stream)
    assert events[-1].event == "thread.run.completed"
    assert answers(azure, run.thread_id) == ["Rain.", "Oslo?"]


@pytest.mark.parametrize("prefix", ["/openai/deployments/other", "/api/projects/p/openai/v1"])
def test_an_object_is_the_same_under_every_prefix(client: OpenAI, server: str, prefix: str) -> None:
    assistant = client.beta.assistants.create(model="gpt-4o")
    there = client.with_options(base_url=server.removesuffix("/v1") + prefix)
    assert there.beta.assistants.retrieve(assistant.id) == assistant
