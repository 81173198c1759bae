"""Assistants, threads, messages and models, on every deployment."""

import base64
import struct

import pytest

from runstead.wire.assistant import AssistantRequest, AssistantUpdate
from runstead.wire.content import ImageUrl, ImageUrlPart, TextInput
from runstead.wire.embedding import EmbeddingRequest
from runstead.wire.error import BadRequest, NotFound
from runstead.wire.message import MessageRequest
from runstead.wire.options import ObjectFormat
from runstead.wire.struct import SortOrder
from runstead.wire.thread import ThreadRequest, ThreadUpdate
from tests.contract.interface.harness import WEATHER, Harness
from tests.support.worlds import text_of


class TestAssistants:
    async def test_an_assistant_is_created_and_returned(self, harness: Harness) -> None:
        request = AssistantRequest(
            model="m", name="Ann", description="Helps.", instructions="Help.", tools=[WEATHER], metadata={"a": "b"},
            temperature=0.5, top_p=0.25, reasoning_effort="low", response_format=ObjectFormat(),
        )  # fmt: skip
        made = await harness.rs.create_assistant(request)
        assert (made.name, made.instructions, made.tools) == ("Ann", "Help.", [WEATHER])
        assert (made.temperature, made.top_p, made.reasoning_effort) == (0.5, 0.25, "low")
        assert made.response_format == ObjectFormat()
        assert await harness.rs.get_assistant(made.id) == made

    async def test_an_update_keeps_absent_fields_and_null_clears(self, harness: Harness) -> None:
        assistant_id = await harness.assistant(name="Ann", instructions="Help.", metadata={"a": "b"})
        kept = await harness.rs.update_assistant(assistant_id, AssistantUpdate(name="Bea"))
        assert (kept.name, kept.instructions, kept.metadata) == ("Bea", "Help.", {"a": "b"})
        cleared = await harness.rs.update_assistant(assistant_id, AssistantUpdate(instructions=None, metadata=None))
        assert (cleared.name, cleared.instructions, cleared.metadata) == ("Bea", None, {})
        assert await harness.rs.get_assistant(assistant_id) == cleared

    async def test_an_assistant_is_deleted(self, harness: Harness) -> None:
        assistant_id = await harness.assistant()
        gone = await harness.rs.delete_assistant(assistant_id)
        assert (gone.id, gone.deleted, gone.object) == (assistant_id, True, "assistant.deleted")
        for lost in (harness.rs.get_assistant(assistant_id), harness.rs.delete_assistant(assistant_id)):
            with pytest.raises(NotFound, match=f"No assistant found with id '{assistant_id}'"):
                await lost

    async def test_assistants_are_listed(self, harness: Harness) -> None:
        made = [await harness.assistant() for _ in range(5)]
        page = await harness.rs.assistants(limit=2, order=SortOrder.ASC, after=made[0])
        assert ([each.id for each in page.data], page.has_more) == (made[1:3], True)
        assert [each.id for each in (await harness.rs.assistants()).data] == made[::-1]
        assert (await harness.rs.assistants(before=made[-1])).first_id is None


class TestThreads:
    async def test_an_empty_thread_is_created_and_returned(self, harness: Harness) -> None:
        made = await harness.rs.create_thread()
        assert made.metadata == {}
        assert await harness.rs.get_thread(made.id) == made

    async def test_a_thread_is_created_with_its_messages(self, harness: Harness) -> None:
        said = [MessageRequest(role="user", content="Hi"), MessageRequest(role="assistant", content="Ho")]
        made = await harness.rs.create_thread(ThreadRequest(messages=said, metadata={"a": "b"}))
        page = await harness.rs.messages(made.id, order=SortOrder.ASC)
        assert [(each.role, text_of(each)) for each in page.data] == [("user", "Hi"), ("assistant", "Ho")]

    async def test_an_update_keeps_absent_fields_and_null_clears(self, harness: Harness) -> None:
        made = await harness.rs.create_thread(ThreadRequest(metadata={"a": "b"}))
        assert await harness.rs.update_thread(made.id, ThreadUpdate()) == made
        assert (await harness.rs.update_thread(made.id, ThreadUpdate(metadata={"c": "d"}))).metadata == {"c": "d"}
        assert (await harness.rs.update_thread(made.id, ThreadUpdate(metadata=None))).metadata == {}

    async def test_a_thread_is_deleted_with_its_runs_and_messages(self, harness: Harness) -> None:
        run = await harness.ended(await harness.start())
        gone = await harness.rs.delete_thread(run.thread_id)
        assert (gone.id, gone.deleted, gone.object) == (run.thread_id, True, "thread.deleted")
        for lost in (harness.rs.get_run(run.thread_id, run.id), harness.rs.messages(run.thread_id)):
            with pytest.raises(NotFound, match=f"No thread found with id '{run.thread_id}'"):
                await lost

    async def test_threads_are_listed(self, harness: Harness) -> None:
        made = [await harness.thread() for _ in range(3)]
        page = await harness.rs.threads(limit=2)
        assert ([each.id for each in page.data], page.has_more) == (made[:0:-1], True)


class TestMessages:
    async def test_a_message_is_created_and_returned(self, harness: Harness) -> None:
        thread_id = await harness.thread()
        picture = ImageUrlPart(image_url=ImageUrl(url="https://a.example/b.png"))
        request = MessageRequest(role="user", content=[TextInput(text="See"), picture], metadata={"a": "b"})
        made = await harness.rs.create_message(thread_id, request)
        assert (text_of(made), made.content[1], made.metadata) == ("See", picture, {"a": "b"})
        assert (made.status, made.run_id, made.assistant_id, made.attachments) == ("completed", None, None, [])
        assert await harness.rs.get_message(thread_id, made.id) == made

    async def test_metadata_of_a_message_is_updated(self, harness: Harness) -> None:
        thread_id = await harness.thread("Hi")
        [made] = (await harness.rs.messages(thread_id)).data
        update = harness.rs.update_message
        assert (await update(thread_id, made.id, {"a": "b"})).metadata == {"a": "b"}
        assert (await update(thread_id, made.id)).metadata == {"a": "b"}
        assert (await update(thread_id, made.id, None)).metadata == {}

    async def test_a_message_is_deleted(self, harness: Harness) -> None:
        thread_id = await harness.thread("Hi", "Ho")
        made = (await harness.rs.messages(thread_id)).data[0]
        gone = await harness.rs.delete_message(thread_id, made.id)
        assert (gone.id, gone.deleted, gone.object) == (made.id, True, "thread.message.deleted")
        with pytest.raises(NotFound, match=f"No message found with id '{made.id}'"):
            await harness.rs.get_message(thread_id, made.id)
        assert [text_of(each) for each in (await harness.rs.messages(thread_id)).data] == ["Hi"]

    async def test_messages_are_listed_and_filtered_by_run(self, harness: Harness) -> None:
        run = await harness.ended(await harness.start())
        question, answer = await harness.messages(run)
        page = await harness.rs.messages(run.thread_id, limit=1)
        assert (list(page.data), page.has_more, page.last_id) == ([answer], True, answer.id)
        assert list((await harness.rs.messages(run.thread_id, after=answer.id)).data) == [question]
        assert list((await harness.rs.messages(run.thread_id, run_id=run.id)).data) == [answer]


class TestModels:
    async def test_models_are_listed_and_returned(self, harness: Harness) -> None:
        assert [model.id for model in (await harness.rs.models()).data] == ["scripted"]
        assert (await harness.rs.get_model("scripted")).id == "scripted"


class TestEmbeddings:
    async def test_texts_are_vectors_in_their_order(self, harness: Harness) -> None:
        made = await harness.rs.embeddings(EmbeddingRequest(model="any", input=["A cat.", "Ein Hund."]))
        assert [each.index for each in made.data] == [0, 1]
        assert [len(each.embedding) for each in made.data] == [512, 512]
        assert made.model == "use-multilingual-v3"
        assert made.usage.prompt_tokens == made.usage.total_tokens > 0
        alone = await harness.rs.embeddings(EmbeddingRequest(model="any", input="Ein Hund.", encoding_format="base64"))
        (vector,) = [base64.b64decode(str(each.embedding)) for each in alone.data]
        assert list(struct.unpack("<512f", vector)) == pytest.approx(made.data[1].embedding, abs=1e-5)

    async def test_tokens_are_refused(self, harness: Harness) -> None:
        with pytest.raises(BadRequest, match="'input' has tokens instead of text") as raised:
            await harness.rs.embeddings(EmbeddingRequest(model="any", input=[[1, 2], [3]]))
        assert raised.value.param == "input"
