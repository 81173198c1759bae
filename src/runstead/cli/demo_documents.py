"""The demo's document, and what its scene shows of an answer that cites it."""

from collections.abc import Iterator

from runstead.client import Client
from runstead.client.sources import NamedSource
from runstead.wire.assistant import Assistant, AssistantRequest
from runstead.wire.content import FileCitation, TextPart
from runstead.wire.run import Run
from runstead.wire.run_step import FileSearchCall, Include, ToolCallsDetails
from runstead.wire.tool import FileSearchResources, FileSearchTool, ToolResources
from runstead.wire.vector_store import VectorStoreRequest

__all__ = ["FILE_NAME", "QUESTION", "citations", "reader_of_document"]

FILE_NAME = "lighthouse.md"
QUESTION = "Search the file: how often is the lamp of the lighthouse cleaned?"
_DOCUMENT = """# The lighthouse of Lindnes

## Lamp

The lamp of the lighthouse is cleaned every 14 days.

## Visitors

The tower is open from May to September. Its stairs have 112 steps. Dogs wait outside.
"""
_CONTENT: Include = "step_details.tool_calls[*].file_search.results[*].content"


def reader_of_document(client: Client, model: str) -> Assistant:
    """An assistant that searches the document, once the document is indexed."""
    file = client.upload_file(NamedSource(_DOCUMENT.encode(), FILE_NAME))
    store = client.create_vector_store(VectorStoreRequest(name="Lighthouses", file_ids=[file.id]))
    client.wait_for_vector_store(store.id)
    return client.create_assistant(
        AssistantRequest(
            model=model,
            name="Reader",
            tools=[FileSearchTool()],
            tool_resources=ToolResources(file_search=FileSearchResources(vector_store_ids=[store.id])),
        )
    )


def citations(client: Client, run: Run) -> Iterator[tuple[str, str]]:
    """The markers in the answers of a run, each with the text of its file that the model was given."""
    given: dict[str, str] = {}
    for step in client.run_steps(run.thread_id, run.id, include=[_CONTENT]):
        if isinstance(step.step_details, ToolCallsDetails):
            for call in step.step_details.tool_calls:
                for result in call.file_search.results if isinstance(call, FileSearchCall) else ():
                    given.setdefault(result.file_id, "\n".join(part["text"] for part in result.content or ()))
    for message in client.messages(run.thread_id, run_id=run.id):
        for part in message.content:
            for note in part.text.annotations if isinstance(part, TextPart) else ():
                if isinstance(note, FileCitation):
                    yield note.text, given.get(note.file_citation.file_id, "")
