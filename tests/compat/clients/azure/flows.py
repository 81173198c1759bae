"""Drives a server with the client of Azure AI Foundry, and prints what happened as one JSON object.

Arguments: the endpoint, and for https the file of the server's certificate. The client refuses to send a token over
plain http, so it is given a key there; `docs/migrating.md` has the same lines.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from azure.ai.agents import AgentsClient
from azure.ai.agents.models import AgentEventHandler, FunctionTool, ListSortOrder, ToolOutput, ToolSet
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import AzureKeyCredentialPolicy

KEY = AzureKeyCredential("any")
USER = [{"role": "user", "content": "Oslo?"}]


def weather(city: str) -> str:
    """Get the weather in a city.

    :param city: The city.
    """
    return json.dumps({"weather": "rain", "city": city})


def texts(client: AgentsClient, thread_id: str) -> list[list[str]]:
    """The roles and texts of a thread, from its first message on."""
    messages = client.messages.list(thread_id=thread_id, order=ListSortOrder.ASCENDING, limit=1)
    return [[str(message.role.value), message.text_messages[0].text.value] for message in messages]


def plain(client: AgentsClient) -> dict[str, Any]:
    """An agent, a thread, a message, a run, its steps; and lists to their ends."""
    agent = client.create_agent(model="gpt-4o", name="brief", instructions="Be brief.")
    agent = client.update_agent(agent.id, name="briefer")
    thread = client.threads.create()
    client.messages.create(thread_id=thread.id, role="user", content="Hi")
    run = client.runs.create_and_process(thread_id=thread.id, agent_id=agent.id, polling_interval=0)
    steps = list(client.run_steps.list(thread_id=thread.id, run_id=run.id))
    empty = client.threads.create()
    return {
        "name": client.get_agent(agent.id).name,
        "status": run.status.value,
        "texts": texts(client, thread.id),
        "steps": [step.type.value for step in steps],
        "agents": [each.id == agent.id for each in client.list_agents(limit=1)],
        "threads": len(list(client.threads.list(limit=1))),
        "empty": list(client.messages.list(thread_id=empty.id)),
    }


def functions(client: AgentsClient) -> dict[str, Any]:
    """Functions that the client calls: while it polls, in a stream, and by hand."""
    tools = ToolSet()
    tools.add(FunctionTool({weather}))
    client.enable_auto_function_calls(tools)
    agent = client.create_agent(model="gpt-4o", toolset=tools)
    polled = client.create_thread_and_process_run(
        agent_id=agent.id, thread={"messages": USER}, toolset=tools, polling_interval=0
    )
    thread = client.threads.create(messages=USER)
    seen = []
    with client.runs.stream(thread_id=thread.id, agent_id=agent.id, event_handler=AgentEventHandler()) as stream:
        for event, _, _ in stream:
            seen.append(str(event.value if hasattr(event, "value") else event))
    by_hand = client.create_thread_and_run(agent_id=agent.id, thread={"messages": USER})
    while by_hand.status in {"queued", "in_progress"}:
        by_hand = client.runs.get(thread_id=by_hand.thread_id, run_id=by_hand.id)
    [call] = by_hand.required_action.submit_tool_outputs.tool_calls
    outputs = [ToolOutput(tool_call_id=call.id, output="rain")]
    answered = client.runs.submit_tool_outputs(thread_id=by_hand.thread_id, run_id=by_hand.id, tool_outputs=outputs)
    return {
        "polled": [polled.status.value, texts(client, polled.thread_id)],
        "events": seen,
        "streamed": texts(client, thread.id),
        "by_hand": answered.status.value,
    }


def errors(client: AgentsClient) -> dict[str, Any]:
    """The errors of requests that are refused."""
    refused = {}
    agent = client.create_agent(model="gpt-4o")
    thread = client.threads.create()
    files = {"code_interpreter": {"file_ids": ["assistant-1"]}}
    calls: dict[str, Callable[[], object]] = {
        "missing": lambda: client.get_agent("asst_000000000000000000000000"),
        "resources": lambda: client.runs.create(thread_id=thread.id, agent_id=agent.id, tool_resources=files),
        "tool": lambda: client.create_agent(model="gpt-4o", tools=[{"type": "bing_grounding", "bing_grounding": {}}]),
    }
    for name, call in calls.items():
        try:
            call()
        except HttpResponseError as error:
            refused[name] = [type(error).__name__, error.status_code, error.error.message]
    client.delete_agent(agent.id)
    client.threads.delete(thread.id)
    return refused


class Anybody:
    """A token that a server without keys does not read."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token that does not expire during a test."""
        return AccessToken("any", 2**33)


def connect(endpoint: str, certificate: str | None) -> AgentsClient:
    """A client with a key, or over https with a token."""
    if certificate is not None:
        return AgentsClient(endpoint=endpoint, credential=Anybody(), connection_verify=certificate)
    return AgentsClient(
        endpoint=endpoint, credential=KEY, authentication_policy=AzureKeyCredentialPolicy(KEY, "api-key")
    )


def main() -> None:
    """Play all flows."""
    with connect(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None) as client:
        print(json.dumps({"plain": plain(client), "functions": functions(client), "errors": errors(client)}))


if __name__ == "__main__":
    main()
