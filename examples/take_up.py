"""A run outlives the program that started it: a second program finds it waiting for a tool, and continues it.

Needs a server: `runstead serve`.
"""

import runstead
from runstead import AssistantRequest, MessageRequest, RunRequest, Status
from runstead.client import function_tool


def get_weather(city: str) -> str:
    """Tell the current weather in a city."""
    return f"It is sunny in {city}."


# The first program creates the run, and ends without submitting the outputs of its tool call.
with runstead.connect() as client:
    model = client.models().data[0].id
    assistant = client.create_assistant(AssistantRequest(model=model, tools=[function_tool(get_weather)]))
    thread = client.create_thread()
    client.create_message(thread.id, MessageRequest(role="user", content="What is the weather in Oslo?"))
    client.wait(client.create_run(thread.id, RunRequest(assistant_id=assistant.id)))

# The second program has only the id of the thread.
with runstead.connect() as client:
    run = client.runs(thread.id)[0]
    if run.status is Status.REQUIRES_ACTION:
        print(f"{run.id} waits for {run.required_action.submit_tool_outputs.tool_calls[0].function.name}.")
    run = client.take_up(run, tools=[get_weather])
    print(f"{run.id} is {run.status}.")
