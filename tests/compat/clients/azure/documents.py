"""Uploads, indexes and asks about files with the client of Azure AI Foundry, and prints what happened as JSON.

Argument: the endpoint.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from azure.ai.agents import AgentsClient
from azure.ai.agents.models import (
    FilePurpose,
    FileSearchTool,
    FileSearchToolDefinition,
    MessageAttachment,
    RunAdditionalFieldList,
    ThreadMessage,
    ThreadRun,
)
from azure.core.exceptions import HttpResponseError

from tests.compat.clients.azure.flows import connect

HANDBOOK = "The seal of the pump wears out. 🐝 Replace it every 400 hours."
CONTENT = [RunAdditionalFieldList.FILE_SEARCH_CONTENTS]


def stored(client: AgentsClient, folder: Path) -> tuple[dict[str, Any], str, str]:
    """A file and a vector store, polled until they are ready. Their ids too."""
    (folder / "pump.txt").write_text(HANDBOOK)
    file = client.files.upload_and_poll(
        file_path=str(folder / "pump.txt"), purpose=FilePurpose.AGENTS, polling_interval=0.02
    )
    client.files.save(file_id=file.id, file_name="copy.txt", target_dir=folder)
    store = client.vector_stores.create_and_poll(file_ids=[file.id], name="Handbooks", polling_interval=0.02)
    boats = client.files.upload_and_poll(file=b"Boats leave on Mondays.", filename="boats.txt", purpose="assistants")
    image = client.files.upload(file=b"\x89PNG\r\n\x1a\n", filename="a.png", purpose="assistants")
    added = client.vector_store_files.create_and_poll(store.id, file_id=boats.id, polling_interval=0.02)
    batch = client.vector_store_file_batches.create_and_poll(store.id, file_ids=[image.id], polling_interval=0.02)
    failed = client.vector_store_file_batches.list_files(store.id, batch.id, filter="failed")
    seen = {
        "file": [file.filename, file.bytes, str(file.status.value)],
        "files": len(client.files.list(purpose="assistants").data),
        "saved": (folder / "copy.txt").read_text() == HANDBOOK,
        "store": [store.status.value, store.name, store.file_counts.completed],
        "added": added.status.value,
        "batch": [batch.status.value, batch.file_counts.failed],
        "failed": [each.last_error.code.value for each in failed],
        "stores": [each.id == store.id for each in client.vector_stores.list(limit=1)],
        "indexed": len(list(client.vector_store_files.list(store.id, limit=1))),
    }
    return seen, file.id, store.id


def answer(client: AgentsClient, run: ThreadRun) -> dict[str, Any]:
    """The answer of a run, the texts at the offsets of its citations, and what was found for them."""
    message: ThreadMessage = next(iter(client.messages.list(run.thread_id, run_id=run.id)))
    text = message.text_messages[0].text.value
    steps = client.run_steps.list(run.thread_id, run.id, include=CONTENT)
    calls = [call for step in steps if step.type == "tool_calls" for call in step.step_details.tool_calls]
    return {
        "run": [run.status.value, text],
        "cited": [text[each.start_index : each.end_index] for each in message.file_citation_annotations],
        "files": [each.file_citation.file_id for each in message.file_citation_annotations],
        "found": [[each.file_id, each.content[0].text] for call in calls for each in call.file_search.results],
    }


def asked(client: AgentsClient, store_id: str) -> dict[str, Any]:
    """A question to an agent with a store."""
    search = FileSearchTool(vector_store_ids=[store_id])
    agent = client.create_agent(model="gpt-4o", tools=search.definitions, tool_resources=search.resources)
    thread = client.threads.create(messages=[{"role": "user", "content": "How often?"}])
    return answer(client, client.runs.create_and_process(thread_id=thread.id, agent_id=agent.id, polling_interval=0.02))


def attached(client: AgentsClient, file_id: str) -> dict[str, Any]:
    """A question about an attachment, to an agent that has the tool and no store."""
    agent = client.create_agent(model="gpt-4o", tools=FileSearchTool().definitions)
    thread = client.threads.create()
    attachment = MessageAttachment(file_id=file_id, tools=[FileSearchToolDefinition()])
    client.messages.create(thread_id=thread.id, role="user", content="How often?", attachments=[attachment])
    return answer(client, client.runs.create_and_process(thread_id=thread.id, agent_id=agent.id, polling_interval=0.02))


def deleted(client: AgentsClient, file_id: str, store_id: str) -> list[Any]:
    """The rows and blobs that remain of a file and a store after their deletion."""
    client.vector_store_files.delete(store_id, file_id)
    client.vector_stores.delete(store_id)
    client.files.delete(file_id)
    left = []
    for get, gone in ((client.vector_stores.get, store_id), (client.files.get, file_id)):
        try:
            get(gone)
        except HttpResponseError as error:
            left.append([type(error).__name__, error.error.message.replace(gone, "ID")])
    return left


def main() -> None:
    """Play all flows."""
    with connect(sys.argv[1], None) as client, tempfile.TemporaryDirectory() as folder:
        seen, file_id, store_id = stored(client, Path(folder))
        seen["asked"] = asked(client, store_id)
        seen["attached"] = attached(client, file_id)
        seen["deleted"] = deleted(client, file_id, store_id)
        print(json.dumps(seen).replace(file_id, "FILE"))


if __name__ == "__main__":
    main()
