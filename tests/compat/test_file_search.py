"""Questions about files, asked with the official client: uploads, vector stores, searches, and true citations."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from openai import AssistantEventHandler, BadRequestError, NotFoundError, OpenAI
from openai.types.beta import Assistant
from openai.types.beta.assistant_stream_event import ThreadRunStepCompleted
from openai.types.beta.threads import FileCitationAnnotation, FileCitationDeltaAnnotation, Message, Text, TextDelta
from openai.types.beta.threads.message_create_params import Attachment
from openai.types.beta.threads.runs import FileSearchToolCall, RunStep, RunStepInclude, ToolCallsStepDetails

from runstead.llm.scripted import Call
from runstead.store.sqlite import SqliteStore
from runstead.worker.application import run
from tests.compat.conftest import Start
from tests.compat.script import Script
from tests.support.search_world import search_parts
from tests.support.worlds import adapters_of

CONTENT: RunStepInclude = "step_details.tool_calls[*].file_search.results[*].content"
HANDBOOK = """# Pump MX-200

The seal of the pump wears out. 🐝 Replace it every 400 hours.

# Warranty

Seals are not covered by the warranty.
"""
ASK = Call("file_search", '{"queries":["How often is the seal replaced?"]}')
ANSWER = "🐝 Every 400 hours【0:0†handbook.md】, not sooner【5:5†handbook.md】."


class Notes(AssistantEventHandler):
    """The annotations that a stream brings, and its whole texts."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[FileCitationDeltaAnnotation] = []
        self.texts: list[Text] = []

    def on_text_delta(self, delta: TextDelta, snapshot: Text) -> None:
        self.notes += [each for each in delta.annotations or () if isinstance(each, FileCitationDeltaAnnotation)]

    def on_text_done(self, text: Text) -> None:
        self.texts.append(text)


def searched(steps: Sequence[RunStep]) -> FileSearchToolCall:
    """The one search of these steps."""
    [found] = [
        call
        for step in steps
        if isinstance(step.step_details, ToolCallsStepDetails)
        for call in step.step_details.tool_calls
        if isinstance(call, FileSearchToolCall)
    ]
    return found


def text_of(message: Message) -> Text:
    [part] = message.content
    assert part.type == "text"
    return part.text


@pytest.fixture
def start(tmp_path: Path, model: Script) -> Start:
    """The application searches by words alone: a model of vectors takes seconds to load."""
    parts = search_parts(SqliteStore(tmp_path / "runstead.db"))
    return lambda: run(adapters_of(model=model.model, **parts))


@pytest.fixture
def librarian(client: OpenAI) -> Assistant:
    """An assistant with an indexed file."""
    store = client.vector_stores.create(name="Handbooks")
    file = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("handbook.md", HANDBOOK.encode()), poll_interval_ms=20
    )
    assert (file.status, file.last_error) == ("completed", None)
    return client.beta.assistants.create(
        model="gpt-4o",
        tools=[{"type": "file_search"}],
        tool_resources={"file_search": {"vector_store_ids": [store.id]}},
    )


def test_a_streamed_answer_cites_text_of_the_file(client: OpenAI, model: Script, librarian: Assistant) -> None:
    model.calls(ASK)
    model.says(*ANSWER.partition("0†"))
    thread = client.beta.threads.create(messages=[{"role": "user", "content": "How often?"}])
    handler = Notes()
    with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=librarian.id, event_handler=handler, extra_query={"include[]": CONTENT}
    ) as stream:
        completed = [each for each in stream if isinstance(each, ThreadRunStepCompleted)]
        made = stream.get_final_run()
        [message] = stream.get_final_messages()
    assert made.status == "completed"

    text = text_of(message)
    assert text.value == ANSWER
    [note] = text.annotations
    assert isinstance(note, FileCitationAnnotation)
    assert text.value[note.start_index : note.end_index] == note.text == "【0:0†handbook.md】"
    [streamed] = handler.notes
    assert (streamed.start_index, streamed.end_index) == (note.start_index, note.end_index)
    assert [each.value for each in handler.texts] == [ANSWER]
    [listed] = client.beta.threads.messages.list(thread.id, run_id=made.id)
    assert listed.content == message.content

    assert librarian.tool_resources is not None
    assert librarian.tool_resources.file_search is not None
    [store_id] = librarian.tool_resources.file_search.vector_store_ids or [""]
    found = searched([each.data for each in completed]).file_search.results
    assert found is not None
    assert found[0].file_id == note.file_citation.file_id
    assert found[0].content
    [content] = found[0].content
    page = client.vector_stores.files.content(found[0].file_id, vector_store_id=store_id)
    stored = "".join(each.text or "" for each in page)
    assert content.text is not None
    assert "Replace it every 400 hours." in content.text
    assert content.text in stored

    plain = searched(client.beta.threads.runs.steps.list(made.id, thread_id=thread.id).data).file_search.results
    full = searched(
        client.beta.threads.runs.steps.list(made.id, thread_id=thread.id, include=[CONTENT]).data
    ).file_search.results
    assert plain is not None
    assert full is not None
    assert [each.content for each in plain] == [None] * len(plain)
    assert full == found


def test_a_file_that_is_attached_to_a_message_is_searched(client: OpenAI, model: Script) -> None:
    file = client.files.create(file=("notes.txt", b"The meeting is on Thursday at nine."), purpose="assistants")
    model.calls(Call("file_search", '{"queries":["When is the meeting?"]}'))
    model.says("Thursday【0:0†notes.txt】.")
    made = client.beta.threads.create_and_run_poll(
        assistant_id=client.beta.assistants.create(model="gpt-4o", tools=[{"type": "file_search"}]).id,
        thread={
            "messages": [
                {
                    "role": "user",
                    "content": "When is the meeting?",
                    "attachments": [{"file_id": file.id, "tools": [{"type": "file_search"}]}],
                }
            ]
        },
        poll_interval_ms=20,
    )
    assert made.status == "completed"
    [message] = client.beta.threads.messages.list(made.thread_id, run_id=made.id)
    [note] = text_of(message).annotations
    assert isinstance(note, FileCitationAnnotation)
    assert note.file_citation.file_id == file.id
    thread = client.beta.threads.retrieve(made.thread_id)
    assert thread.tool_resources is not None
    assert thread.tool_resources.file_search is not None
    [store_id] = thread.tool_resources.file_search.vector_store_ids or [""]
    store = client.vector_stores.retrieve(store_id)
    assert store.expires_after is not None
    assert (store.expires_after.days, store.file_counts.completed) == (7, 1)


def test_each_citation_of_an_answer_has_its_passage(client: OpenAI, model: Script) -> None:
    """The number in a marker is the place of its passage in the step. Markers of other passages are no citations."""
    store = client.vector_stores.create()
    pumps = "\n\n".join(f"# Pump {n} 🐝\n\nThe seal of pump {n} lasts {n * 10} hours." for n in range(40))
    valves = "\n\n".join(f"Valve {n} of the pump has a seal of steel." for n in range(40))
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id,
        files=[("pumps.md", pumps.encode()), ("valves.txt", valves.encode("utf-16"))],
        chunking_strategy={"type": "static", "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}},
        poll_interval_ms=20,
    )
    assert batch.file_counts.completed == 2
    names = {file.id: client.files.retrieve(file.id).filename for file in client.vector_stores.files.list(store.id)}
    model.calls(Call("file_search", '{"queries":["seal of pump 7","valve 9 seal steel","seal of pump 7"]}'))
    model.says(*(f"🐝【0:{n}†{name}】" for n in range(50) for name in sorted(names.values())))
    made = client.beta.threads.create_and_run_poll(
        assistant_id=client.beta.assistants.create(
            model="gpt-4o",
            tools=[{"type": "file_search"}],
            tool_resources={"file_search": {"vector_store_ids": [store.id]}},
        ).id,
        thread={"messages": [{"role": "user", "content": "Which seals?"}]},
        poll_interval_ms=20,
    )
    steps = client.beta.threads.runs.steps.list(made.id, thread_id=made.thread_id, include=[CONTENT]).data
    found = searched(steps).file_search.results
    assert found is not None
    assert len({each.content[0].text for each in found if each.content}) == len(found) > 10
    assert {each.file_id for each in found} == set(names)

    [message] = client.beta.threads.messages.list(made.thread_id, run_id=made.id)
    text = text_of(message)
    cited = [each for each in text.annotations if isinstance(each, FileCitationAnnotation)]
    assert [text.value[each.start_index : each.end_index] for each in cited] == [
        f"【0:{n}†{names[each.file_id]}】" for n, each in enumerate(found)
    ]
    assert [each.file_citation.file_id for each in cited] == [each.file_id for each in found]
    stored = {
        file_id: "".join(
            part.text or "" for part in client.vector_stores.files.content(file_id, vector_store_id=store.id)
        )
        for file_id in names
    }
    assert sorted(stored.values()) == sorted([pumps, valves])
    for each in found:
        assert each.content
        assert stored[each.file_id].count(each.content[0].text or "") == 1


def test_what_does_not_fit_is_refused(client: OpenAI, librarian: Assistant) -> None:
    with pytest.raises(NotFoundError, match="No vector store found with id 'vs_missing'"):
        client.beta.threads.create(tool_resources={"file_search": {"vector_store_ids": ["vs_missing"]}})
    with pytest.raises(BadRequestError, match="array too long"):
        client.beta.threads.create(tool_resources={"file_search": {"vector_store_ids": ["vs_1", "vs_2"]}})
    attached: Attachment = {"file_id": "file-0", "tools": [{"type": "file_search"}]}
    thread = client.beta.threads.create()
    with pytest.raises(NotFoundError, match="No such File object: file-0"):
        client.beta.threads.messages.create(thread.id, role="user", content="x", attachments=[attached])
