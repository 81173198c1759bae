"""The official OpenAI client, unmodified: only the base URL changes.

Needs a server, `runstead serve`, and `pip install openai`.
"""

import os
import warnings

from openai import OpenAI

warnings.filterwarnings("ignore", category=DeprecationWarning)  # the vendor deprecates these calls

client = OpenAI(base_url=os.environ.get("RUNSTEAD_URL", "http://127.0.0.1:8642") + "/v1", api_key="any")
assistant = client.beta.assistants.create(model=client.models.list().data[0].id, instructions="Answer shortly.")
thread = client.beta.threads.create(messages=[{"role": "user", "content": "Why is the sky blue?"}])

run = client.beta.threads.runs.create_and_poll(thread_id=thread.id, assistant_id=assistant.id)
print(f"The run is {run.status}.")
print(client.beta.threads.messages.list(thread.id).data[0].content[0].text.value)
