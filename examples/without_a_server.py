"""The engine inside this program, over one file. Its calls are those of a client.

Needs `pip install runstead[server]`. A script replaces the model; `model_url="http://…/v1"` uses a server.
"""

import tempfile
from pathlib import Path

import runstead
from runstead import AssistantRequest, MessageRequest, RunRequest
from runstead.llm.scripted import ScriptedModel

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "runs.db"
    with runstead.open(file, model=ScriptedModel(["Because blue light is scattered most."])) as engine:
        assistant = engine.create_assistant(AssistantRequest(model="scripted"))
        thread = engine.create_thread()
        engine.create_message(thread.id, MessageRequest(role="user", content="Why is the sky blue?"))
        run = engine.wait(engine.create_run(thread.id, RunRequest(assistant_id=assistant.id)))
        print(f"The run is {run.status}.")

    with runstead.open(file, model=ScriptedModel([])) as engine:
        print("Still there:", engine.messages(thread.id)[0].content[0].text.value)
