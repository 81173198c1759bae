"""Python functions as tools: the model calls them, this program runs them, and the run continues to its end.

Needs a server: `runstead serve`.
"""

from typing import Literal

import runstead
from runstead import AssistantRequest, MessageRequest, RunRequest, SortOrder


def get_weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> dict[str, object]:
    """Tell the current weather in a city.

    Args:
        city: The name of the city.
        unit: The unit of the temperature.

    """
    temperature = 21 if unit == "celsius" else 70
    return {"city": city, "sky": "sunny", "temperature": temperature}


with runstead.connect() as client:
    assistant = client.create_assistant(AssistantRequest(model=client.models().data[0].id))
    thread = client.create_thread()
    client.create_message(thread.id, MessageRequest(role="user", content="What is the weather in Oslo?"))

    run = client.drive(thread.id, RunRequest(assistant_id=assistant.id), tools=[get_weather])

    for step in client.run_steps(thread.id, run.id, order=SortOrder.ASC):
        print(step.type, step.status)
    print(client.messages(thread.id)[0].content[0].text.value)
