"""Questions about files on every deployment: attached, indexed, searched and cited, with the passages on request."""

import pytest
from msgspec import UNSET

from runstead import bootstrap
from runstead.domain.tool_resources import store_ids
from runstead.llm.scripted import call, say
from runstead.wire.content import CitedFile, FileCitation, Text, TextPart
from runstead.wire.message import Attachment, AttachmentTool, Message, MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.run_step import FileSearchCall, Include, RunStep, ToolCallsDetails
from runstead.wire.thread import ThreadRequest
from runstead.wire.tool import FileSearchTool
from tests.contract.interface.harness import Harness
from tests.contract.interface.test_files import upload
from tests.support.retrieval import HashingEmbeddings
from tests.support.waiting import until, within

CONTENT: Include = "step_details.tool_calls[*].file_search.results[*].content"
REFUNDS = "A refund takes five working days. \U0001f4a9 Ask Mrs Lindqvist."


@pytest.fixture(autouse=True)
def _without_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deployments that `bootstrap` builds embed without the model, which takes seconds to load."""
    monkeypatch.setattr(bootstrap, "_local_embeddings", HashingEmbeddings)


def content_of(step: RunStep) -> object:
    """The content of the one result of the step's one search."""
    assert isinstance(step.step_details, ToolCallsDetails)
    [found] = step.step_details.tool_calls
    assert isinstance(found, FileSearchCall)
    [result] = found.file_search.results
    return result.content


async def test_an_attached_file_is_searched_and_cited(harness: Harness) -> None:
    harness.answers(call("file_search", query="refund"), [say("\U0001f4a9 Five days【0:", "0†refunds", ".txt】.")])
    file = await upload(harness, REFUNDS.encode(), "refunds.txt")
    attached = [Attachment(file_id=file.id, tools=[AttachmentTool(type="file_search")])]
    question = MessageRequest(role="user", content="How long?", attachments=attached)
    thread = await harness.rs.create_thread(ThreadRequest(messages=[question]))
    [store_id] = store_ids(thread.tool_resources)

    async def indexed() -> bool:
        return (await harness.rs.get_vector_store(store_id)).status == "completed"

    await until(indexed)
    request = RunRequest(assistant_id=await harness.assistant([FileSearchTool()]))
    async with within():
        events = [event async for event in harness.rs.create_streaming_run(thread.id, request, [CONTENT])]
    run = events[-1].data
    assert isinstance(run, Run)
    assert run.status == "completed"

    value, marker = "\U0001f4a9 Five days【0:0†refunds.txt】.", "【0:0†refunds.txt】"
    note = FileCitation(text=marker, start_index=11, end_index=28, file_citation=CitedFile(file_id=file.id))
    expected = [TextPart(text=Text(value=value, annotations=[note]))]
    completed = [each.data for each in events if each.event == "thread.message.completed"]
    assert [each.content for each in completed if isinstance(each, Message)] == [expected]
    assert (await harness.messages(run))[-1].content == expected

    shown = [{"type": "text", "text": REFUNDS}]
    searched = next(each.data for each in events if each.event == "thread.run.step.completed")
    assert isinstance(searched, RunStep)
    assert content_of(searched) == shown
    for include, expected_content in (((CONTENT,), shown), ((), UNSET)):
        step = await harness.rs.run_step(thread.id, run.id, searched.id, include)
        assert content_of(step) == expected_content
        async with within():
            replayed = [each.data async for each in harness.rs.run_events(thread.id, run.id, None, include)]
        assert step in replayed

    other = await upload(harness, b"The ferry to Bergen leaves on Mondays.", "boats.txt")
    attached = [Attachment(file_id=other.id, tools=[AttachmentTool(type="file_search")])]
    more = [MessageRequest(role="user", content="And the ferry?", attachments=attached)]
    second = await harness.rs.create_run(thread.id, RunRequest(assistant_id=run.assistant_id, additional_messages=more))
    assert (await harness.ended(second)).status == "completed"
    await until(indexed)
    assert (await harness.rs.get_vector_store(store_id)).file_counts.completed == 2
