"""A run searches its files: what the model reads, what the step shows, and what the message cites."""

import asyncio
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from runstead.domain.model_call import ModelRequest
from runstead.domain.tool_resources import store_ids
from runstead.engine.retrieval import ready
from runstead.llm.scripted import Turn, call, say
from runstead.wire.chunking import StaticChunkingRequest, StaticSizes
from runstead.wire.content import CitedFile, FileCitation, TextPart
from runstead.wire.error import BadRequest, NotFound
from runstead.wire.message import Attachment, AttachmentTool, MessageRequest
from runstead.wire.run import Run, RunRequest, ThreadRunRequest
from runstead.wire.run_step import FileSearchCall, Include, RunStep, RunStepId, ToolCallsDetails
from runstead.wire.thread import ThreadRequest, ThreadUpdate
from runstead.wire.tool import (
    CodeInterpreterResources,
    FileSearchResources,
    FileSearchSettings,
    FileSearchTool,
    Function,
    FunctionTool,
    NamedToolChoice,
    NewVectorStore,
    RankingOptions,
    ToolResources,
)
from runstead.wire.vector_store import StoreExpiry, VectorStoreRequest
from tests.engine.test_missing_deltas import ForgetfulBroker
from tests.engine.uploads import upload
from tests.support.reader import Reader
from tests.support.search_world import search_world
from tests.support.waiting import until, within
from tests.support.worlds import World, names, text_of

CONTENT: Include = "step_details.tool_calls[*].file_search.results[*].content"
PUMP = "# Pump MX-200\n\nReplace the seal of the pump every 400 hours. 🐝 Bees like it.\n"
TEA = "# Tea\n\nGreen tea is brewed at 75 degrees for two minutes.\n"
SEARCH = (FileSearchTool(),)


def resources(*store_ids: str) -> ToolResources:
    return ToolResources(file_search=FileSearchResources(vector_store_ids=list(store_ids)))


async def store_with(here: World, *texts: str) -> tuple[str, list[str]]:
    """A vector store with these documents, once they can be searched."""
    files = [(await upload(here, text.encode(), f"doc-{number}.md")).id for number, text in enumerate(texts)]
    store = await here.project.create_vector_store(VectorStoreRequest(file_ids=files))
    await indexed(here, store.id)
    return store.id, files


async def indexed(here: World, store_id: str) -> None:
    async def done() -> bool:
        return (await here.project.get_vector_store(store_id)).status == "completed"

    await until(done)


def found_in(step: RunStep) -> FileSearchCall:
    assert isinstance(step.step_details, ToolCallsDetails)
    [found] = step.step_details.tool_calls
    assert isinstance(found, FileSearchCall)
    return found


def output_to(request: ModelRequest) -> str:
    return str(request.messages[-1]["content"])


async def test_a_run_searches_the_files_of_its_assistant_and_its_thread_and_cites_them() -> None:
    script: list[Turn] = [
        call("file_search", query="seal of the pump", more_queries=["green tea"]),
        [say("🐝 Every 400 hours 【0:"), say("0†doc-0.md"), say("】, and 75 degrees【0:1】. 【7:7†x】【")],
        "Bye.",
    ]
    async with search_world(script) as here:
        pumps, [pump] = await store_with(here, PUMP)
        teas, [tea] = await store_with(here, TEA)
        assistant = await here.assistant(SEARCH, tool_resources=resources(pumps))
        thread = await here.project.create_thread(
            ThreadRequest(messages=[MessageRequest(role="user", content="Tell me.")], tool_resources=resources(teas))
        )
        stream = here.project.create_streaming_run(thread.id, RunRequest(assistant_id=assistant))
        async with within():
            events = [event async for event in stream]
        Reader().read(events)
        assert names(events) == [
            *("run.created", "run.queued", "run.in_progress", "run.step.created", "run.step.in_progress"),
            *("run.step.delta", "run.step.completed", "run.step.created", "run.step.in_progress", "message.created"),
            *("message.in_progress", "message.delta", "message.completed", "run.step.completed", "run.completed"),
        ]
        begun: Any = next(event.data for event in events if event.event == "thread.run.step.delta")
        [delta] = begun.delta.step_details.tool_calls
        assert delta.file_search == {
            "ranking_options": {"ranker": "default_2024_08_21", "score_threshold": 0.0}, "results": []
        }  # fmt: skip

        run = events[-1].data
        assert isinstance(run, Run)
        searched, _ = await here.steps(run)
        results = found_in(searched).file_search.results
        assert {result.file_id for result in results} == {pump, tea}
        assert all(0 <= result.score <= 1 for result in results)
        read = output_to(here.model.requests[1])
        for place, result in enumerate(results):
            assert f"【0:{place}†{result.file_name}】" in read
        assert "Replace the seal of the pump every 400 hours." in read
        assert "Green tea is brewed" in read

        [message] = await here.written(run)
        [part] = message.content
        assert isinstance(part, TextPart)
        text, first, second = part.text.value, *part.text.annotations
        assert text == f"🐝 Every 400 hours {first.text}, and 75 degrees{second.text}. 【7:7†x】【"
        assert [text[note.start_index : note.end_index] for note in (first, second)] == [first.text, second.text]
        assert first == FileCitation(
            text="【0:0†doc-0.md】", start_index=18, end_index=32, file_citation=CitedFile(file_id=results[0].file_id)
        )
        deltas = [event.data for event in events if event.event == "thread.message.delta"]
        sent: list[Any] = [delta.delta.content[0].text for delta in deltas]  # type: ignore[union-attr, index]
        assert "".join(text.value for text in sent) == text
        cited = [text for text in sent if text.annotations]
        assert [text.value for text in cited] == [first.text, second.text]
        assert [note["index"] for text in cited for note in text.annotations] == [0, 1]
        assert cited[0].annotations[0]["file_citation"] == {"file_id": results[0].file_id, "quote": ""}
        assert (await here.stored(run))[-3].data == message  # a replay has the annotations too

        # The next run is not shown the markers, which would mean its own passages.
        await here.ended(await here.again(run))
        said = [each["content"] for each in here.model.requests[-1].messages if each["role"] == "assistant"]
        assert said == ["🐝 Every 400 hours , and 75 degrees. 【7:7†x】【"]


async def test_the_content_of_results_is_shown_to_those_who_ask_for_it() -> None:
    script: list[Turn] = [call("file_search", queries=["tea"]), "Tea."] * 2
    async with search_world(script) as here:
        store, _ = await store_with(here, TEA)
        assistant = await here.assistant(SEARCH, tool_resources=resources(store))

        def shown(step: object) -> object:
            assert isinstance(step, RunStep)
            return found_in(step).file_search.results[0].content

        for include in ((), (CONTENT,)):
            thread = await here.thread("Tea?")
            stream = here.project.create_streaming_run(thread, RunRequest(assistant_id=assistant), include)
            async with within():
                events = [event async for event in stream]
            run = events[-1].data
            assert isinstance(run, Run)
            step = next(event.data for event in events if event.event == "thread.run.step.completed")
            wanted = [{"type": "text", "text": TEA.strip()}] if include else UNSET
            assert shown(step) == wanted
            again = [event.data async for event in here.project.run_events(thread, run.id, None, include)]
            assert step in again
            step_id: RunStepId = step.id  # type: ignore[union-attr]
            assert shown(await here.project.run_step(thread, run.id, step_id, include)) == wanted
            page = await here.project.run_steps(thread, run.id, include=include)
            assert shown(page.data[-1]) == wanted


@pytest.mark.parametrize("passed", [0, 1, 2, 3, 5])
async def test_a_reader_that_misses_deltas_gets_the_citations_that_it_lacks(passed: int) -> None:
    answer = say("Tea【0:0】 is", " green【0:0】", ".")
    async with search_world([call("file_search", query="tea"), [answer]], broker=ForgetfulBroker(passed)) as here:
        store, _ = await store_with(here, TEA)
        thread, assistant = await here.thread("Tea?"), await here.assistant(SEARCH, tool_resources=resources(store))
        async with within():
            stream = here.project.create_streaming_run(thread, RunRequest(assistant_id=assistant))
            events = [event async for event in stream]
    Reader().read(events)
    message: Any = next(event.data for event in events if event.event == "thread.message.completed")
    sent: list[Any] = [event.data for event in events if event.event == "thread.message.delta"]
    texts = [part.text for delta in sent for part in delta.delta.content]
    assert "".join(text.value for text in texts) == message.content[0].text.value
    notes = [note for text in texts for note in text.annotations or ()]
    assert [note["index"] for note in notes] == [0, 1]
    assert all(note["file_citation"]["quote"] == "" for note in notes)
    assert [(note["text"], note["start_index"]) for note in notes] == [
        (note.text, note.start_index) for note in message.content[0].text.annotations
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"query": "tea"}, "Green tea"),
        ({"queries": ["tea", "tea"]}, "Green tea"),
        ({"q": "nothing", "more_queries": ["tea"]}, "Green tea"),
        ({"queries": ["nothing like that"]}, "No passage was found. Other words may find one."),
        ({"queries": [7]}, "The call failed: The arguments must be a JSON object such as"),
        ({}, "The call failed: There is no query."),
        ({"queries": [" "]}, "The call failed: There is no query."),
    ],
)
async def test_sloppy_arguments_are_understood_and_wrong_ones_explained(arguments: dict[str, Any], says: str) -> None:
    async with search_world([call("file_search", **arguments), "Done."]) as here:
        store, _ = await store_with(here, TEA)
        run = await here.ended(await here.start(tools=SEARCH, tool_resources=resources(store)))
        assert run.status == "completed"
        assert says in output_to(here.model.requests[1])
        await here.steps(run)


async def test_results_keep_to_the_assistant_s_settings_and_to_the_prompt_s_budget() -> None:
    document = "\n\n".join(f"# Part {number}\n\n{'tea and more tea. ' * 150}" for number in range(12))
    settings = FileSearchSettings(max_num_results=3, ranking_options=RankingOptions(ranker="auto", score_threshold=0.0))
    turn: Turn = call("file_search", queries=["tea"])
    async with search_world([turn, "Done.", turn, "Done.", turn, "Done."]) as here:
        store, _ = await store_with(here, document)
        tool = FileSearchTool(file_search=settings)
        run = await here.ended(await here.start(tools=[tool], tool_resources=resources(store)))
        shown = found_in((await here.steps(run))[0]).file_search
        assert len(shown.results) == 3
        assert shown.ranking_options == {"ranker": "auto", "score_threshold": 0.0}

        budget = await here.start(tools=[tool], tool_resources=resources(store), max_prompt_tokens=3000)
        assert (await here.ended(budget)).status == "completed"
        assert len(found_in((await here.steps(budget))[0]).file_search.results) == 2
        assert "[1 more passages were found. They do not fit into the prompt.]" in output_to(here.model.requests[3])

        strict = FileSearchSettings(ranking_options=RankingOptions(score_threshold=1.0))
        none = await here.start(tools=[FileSearchTool(file_search=strict)], tool_resources=resources(store))
        assert (await here.ended(none)).status == "completed"
        assert found_in((await here.steps(none))[0]).file_search.results == []


async def test_a_forced_search_offers_its_function() -> None:
    async with search_world([call("file_search", queries=["tea"]), "Done."]) as here:
        store, _ = await store_with(here, TEA)
        choice = NamedToolChoice(type="file_search")
        await here.ended(await here.start(tools=SEARCH, tool_resources=resources(store), tool_choice=choice))
        forced = here.model.requests[0].tool_choice
        assert isinstance(forced, NamedToolChoice)
        assert forced.function.name == "file_search"
        mine = FunctionTool(function=Function(name="file_search"))
        with pytest.raises(BadRequest, match="the function name 'file_search' belongs to the tool 'file_search'"):
            await here.start(tools=[*SEARCH, mine])


async def test_an_attached_file_is_searched_in_a_store_that_its_thread_gets() -> None:
    async with search_world([call("file_search", queries=["tea"]), "Tea【0:0】."]) as here:
        file = await upload(here, TEA.encode(), "tea.md")
        tools = [AttachmentTool(type="file_search"), AttachmentTool(type="code_interpreter")]
        message = MessageRequest(role="user", content="Tea?", attachments=[Attachment(file_id=file.id, tools=tools)])
        thread = await here.project.create_thread()
        await here.project.create_message(thread.id, message)
        # The file is still being indexed: the search waits for it.
        run = await here.project.create_run(thread.id, RunRequest(assistant_id=await here.assistant(SEARCH)))
        assert (await here.ended(run)).status == "completed"
        assert text_of((await here.written(run))[0]) == "Tea【0:0†tea.md】."
        after = await here.project.get_thread(thread.id)
        assert after.tool_resources is not None
        assert after.tool_resources.code_interpreter == CodeInterpreterResources(file_ids=[file.id])
        [store_id] = store_ids(after.tool_resources)
        store = await here.project.get_vector_store(store_id)
        assert store.expires_after == StoreExpiry(anchor="last_active_at", days=7)
        assert store.file_counts.total == 1

        other = await upload(here, PUMP.encode(), "pump.md")
        again = MessageRequest(role="user", content="!", attachments=[Attachment(file_id=other.id, tools=tools[:1])])
        await here.project.create_message(thread.id, again)
        await indexed(here, store_id)
        assert (await here.project.get_vector_store(store_id)).file_counts.total == 2
        assert (await here.project.get_thread(thread.id)).tool_resources == after.tool_resources


async def test_stores_are_made_for_assistants_threads_and_runs() -> None:
    async with search_world(["Hello."]) as here:
        file = await upload(here, TEA.encode(), "tea.md")
        new = ToolResources(
            file_search=FileSearchResources(
                vector_stores=[NewVectorStore(file_ids=[file.id], metadata={"kind": "made"})]
            )
        )
        assistant = await here.project.get_assistant(await here.assistant(SEARCH, tool_resources=new))
        thread = await here.project.create_thread(ThreadRequest(tool_resources=new))
        asked = ThreadRequest(tool_resources=new)
        run = await here.project.create_thread_run(
            ThreadRunRequest(assistant_id=assistant.id, thread=asked, tool_resources=new, instructions="x")
        )
        both = await here.project.get_thread(run.thread_id)
        made = [each.tool_resources for each in (assistant, thread, run, both)]
        ids = [id for each in made for id in store_ids(each)]
        assert len(set(ids)) == 4
        for id in ids:
            store = await here.project.get_vector_store(id)
            assert (store.file_counts.total, store.metadata) == (1, {"kind": "made"})


async def test_a_store_in_tool_resources_with_a_wrong_chunking_is_refused_by_its_place() -> None:
    sizes = StaticSizes(max_chunk_size_tokens=100, chunk_overlap_tokens=51)
    store = NewVectorStore(chunking_strategy=StaticChunkingRequest(static=sizes))
    wrong = ToolResources(file_search=FileSearchResources(vector_stores=[store]))
    async with search_world() as here:
        with pytest.raises(BadRequest) as refused:
            await here.project.create_thread(ThreadRequest(tool_resources=wrong))
        assert (await here.project.threads()).data == []
    place = "tool_resources.file_search.vector_stores[0].chunking_strategy"
    assert refused.value.param == f"{place}.static.chunk_overlap_tokens"


async def test_what_does_not_exist_is_refused_and_nothing_changes() -> None:
    async with search_world(["Hello."]) as here:
        missing = resources("vs_000000000000000000000000")
        no_file = ToolResources(
            file_search=FileSearchResources(vector_stores=[NewVectorStore(file_ids=["file-0000000000000000000000"])])
        )
        thread = await here.thread("Hi")
        for wrong, message in (
            (missing, "No vector store found with id 'vs_000000000000000000000000'."),
            (resources("vs_\x00"), "No vector store found with id 'vs_\x00'."),
            (no_file, "No such File object: file-0000000000000000000000"),
        ):
            for attempt in (
                here.assistant(SEARCH, tool_resources=wrong),
                here.project.create_thread(ThreadRequest(tool_resources=wrong)),
                here.project.update_thread(thread, ThreadUpdate(tool_resources=wrong)),
            ):
                with pytest.raises(NotFound) as refused:
                    await attempt
                assert refused.value.message == message
        assert (await here.project.vector_stores()).data == []
        assert len((await here.project.threads()).data) == 1
        attached = [Attachment(file_id="file-0000000000000000000000", tools=[AttachmentTool(type="file_search")])]
        with pytest.raises(NotFound):
            await here.project.create_message(thread, MessageRequest(role="user", content="x", attachments=attached))
        assert len((await here.project.messages(thread)).data) == 1
        assert (await here.project.vector_stores()).data == []


async def test_a_run_on_a_store_that_is_gone_or_expired_is_refused() -> None:
    async with search_world(["Hello."]) as here:
        store = await here.project.create_vector_store(
            VectorStoreRequest(expires_after=StoreExpiry(anchor="last_active_at", days=1))
        )
        assistant = await here.assistant(SEARCH, tool_resources=resources(store.id))
        thread = await here.thread("Hi")
        await here.adapters.store.write(lambda tx: _expire(tx, store.id))
        with pytest.raises(BadRequest, match=f"Vector store '{store.id}' has expired"):
            await here.project.create_run(thread, RunRequest(assistant_id=assistant))
        # Without the tool its stores do not matter.
        run = await here.project.create_run(thread, RunRequest(assistant_id=assistant, tools=[]))
        assert (await here.ended(run)).status == "completed"
        await here.project.delete_vector_store(store.id)
        with pytest.raises(NotFound, match=f"No vector store found with id '{store.id}'"):
            await here.project.create_run(thread, RunRequest(assistant_id=assistant))


async def _expire(tx: Any, store_id: str) -> None:
    row = await tx.vector_stores.get("default", store_id, 0)
    await tx.vector_stores.replace("default", replace(row, store=replace(row.store, expires_at=1, last_active_at=0)))


class Held:
    """Documents that are being read until the gate is opened, and a run that searches them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = asyncio.Event()
        self._monkeypatch = monkeypatch

    async def start(self, here: World) -> Run:
        assert here.adapters.retrieval is not None
        reader = here.adapters.retrieval.reader
        read = reader.read

        async def held(*arguments: Any) -> Any:
            await self.gate.wait()
            return await read(*arguments)

        self._monkeypatch.setattr(reader, "read", held)
        file = await upload(here, TEA.encode(), "tea.md")
        attached = [Attachment(file_id=file.id, tools=[AttachmentTool(type="file_search")])]
        thread = await here.project.create_thread(
            ThreadRequest(messages=[MessageRequest(role="user", content="Tea?", attachments=attached)])
        )
        return await here.project.create_run(thread.id, RunRequest(assistant_id=await here.assistant(SEARCH)))


async def test_a_run_that_waits_for_its_thread_s_files_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    async with search_world([call("file_search", query="tea")]) as here:
        held = Held(monkeypatch)
        run = await held.start(here)

        async def asked() -> bool:
            steps = await here.steps(run)
            details = steps[0].step_details if steps else None
            return isinstance(details, ToolCallsDetails) and bool(details.tool_calls)

        await until(asked)
        await here.project.cancel(run.thread_id, run.id)
        assert (await here.ended(run)).status == "cancelled"
        held.gate.set()


async def test_the_model_reads_that_files_were_not_ready_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "MAX_WAIT", 0)
    async with search_world([call("file_search", query="tea"), "Not yet."]) as here:
        held = Held(monkeypatch)
        assert (await here.ended(await held.start(here))).status == "completed"
        assert output_to(here.model.requests[1]) == (
            "No passage was found. Other words may find one.\n\n"
            "[Some files of this conversation are still being read, and were not searched.]"
        )
        held.gate.set()
