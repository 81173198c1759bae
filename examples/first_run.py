"""One question, one answer: create an assistant, a thread and a run, and wait for it.

Needs a server: `runstead serve`.
"""

import runstead
from runstead import AssistantRequest, MessageRequest, RunRequest

with runstead.connect() as client:
    model = client.models().data[0].id
    assistant = client.create_assistant(AssistantRequest(model=model, instructions="Answer in one sentence."))
    thread = client.create_thread()
    client.create_message(thread.id, MessageRequest(role="user", content="Why is the sky blue?"))

    run = client.create_run(thread.id, RunRequest(assistant_id=assistant.id))
    run = client.wait(run, timeout=120)
    print(f"The run is {run.status}.")

    answer = client.messages(thread.id, run_id=run.id)[0]
    for part in answer.content:
        print(part.text.value)
