"""Threads and messages with the official client."""

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.beta.threads import ImageURLContentBlock, Message, TextContentBlock

from tests.compat.script import refused


def text(message: Message) -> str:
    [part] = message.content
    assert isinstance(part, TextContentBlock)
    return part.text.value


def test_a_thread_can_be_created_without_a_body(client: OpenAI) -> None:
    made = client.beta.threads.create()
    assert made.id.startswith("thread_")
    assert (made.object, made.metadata) == ("thread", {})
    assert client.beta.threads.retrieve(made.id).id == made.id
    empty = client.beta.threads.messages.list(made.id)
    assert empty.model_dump() == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_a_thread_is_created_with_its_messages(client: OpenAI) -> None:
    made = client.beta.threads.create(
        messages=[{"role": "user", "content": "One"}, {"role": "assistant", "content": "Two"}], metadata={"a": "1"}
    )
    assert made.metadata == {"a": "1"}
    first, second = client.beta.threads.messages.list(made.id, order="asc")
    assert (text(first), first.role, text(second), second.role) == ("One", "user", "Two", "assistant")


def test_the_metadata_of_a_thread_can_be_changed(client: OpenAI) -> None:
    made = client.beta.threads.create(metadata={"a": "1"})
    assert client.beta.threads.update(made.id, metadata={"b": "2"}).metadata == {"b": "2"}
    assert client.beta.threads.update(made.id).metadata == {"b": "2"}
    assert client.beta.threads.retrieve(made.id).metadata == {"b": "2"}


def test_a_deleted_thread_is_gone_with_its_messages(client: OpenAI) -> None:
    made = client.beta.threads.create(messages=[{"role": "user", "content": "One"}])
    [message] = client.beta.threads.messages.list(made.id)
    gone = client.beta.threads.delete(made.id)
    assert (gone.object, gone.deleted) == ("thread.deleted", True)
    with refused(NotFoundError, f"No thread found with id '{made.id}'."):
        client.beta.threads.retrieve(made.id)
    with refused(NotFoundError, f"No thread found with id '{made.id}'."):
        client.beta.threads.messages.retrieve(message.id, thread_id=made.id)


def test_all_threads_can_be_listed(client: OpenAI) -> None:
    made = [client.beta.threads.create().id for _ in range(3)]
    listed = client.get("/threads", cast_to=object, options={"headers": {"OpenAI-Beta": "assistants=v2"}})
    assert isinstance(listed, dict)
    assert [each["id"] for each in listed["data"]] == made[::-1]


def test_a_created_message_is_complete(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    made = client.beta.threads.messages.create(thread.id, role="user", content="Hello", metadata={"a": "1"})
    assert made.id.startswith("msg_")
    assert (made.object, made.thread_id, made.role) == ("thread.message", thread.id, "user")
    assert (made.status, made.run_id, made.assistant_id) == ("completed", None, None)
    assert (made.attachments, made.metadata) == ([], {"a": "1"})
    assert made.content[0].model_dump() == {"type": "text", "text": {"value": "Hello", "annotations": []}}
    assert client.beta.threads.messages.retrieve(made.id, thread_id=thread.id) == made


def test_a_message_has_text_and_images(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    made = client.beta.threads.messages.create(
        thread.id,
        role="user",
        content=[
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": "https://a.example/b.png"}},
        ],
    )
    words, image = made.content
    assert isinstance(words, TextContentBlock)
    assert words.text.value == "What is it?"
    assert isinstance(image, ImageURLContentBlock)
    assert (image.image_url.url, image.image_url.detail) == ("https://a.example/b.png", "auto")


def test_an_update_changes_only_the_metadata_of_a_message(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    made = client.beta.threads.messages.create(thread.id, role="user", content="Hello")
    changed = client.beta.threads.messages.update(made.id, thread_id=thread.id, metadata={"b": "2"})
    assert changed == made.model_copy(update={"metadata": {"b": "2"}})


def test_a_deleted_message_is_gone(client: OpenAI) -> None:
    thread = client.beta.threads.create()
    made = client.beta.threads.messages.create(thread.id, role="user", content="Hello")
    gone = client.beta.threads.messages.delete(made.id, thread_id=thread.id)
    assert (gone.id, gone.object, gone.deleted) == (made.id, "thread.message.deleted", True)
    with refused(NotFoundError, f"No message found with id '{made.id}'."):
        client.beta.threads.messages.retrieve(made.id, thread_id=thread.id)
    assert list(client.beta.threads.messages.list(thread.id)) == []


def test_an_id_of_another_kind_is_refused(client: OpenAI) -> None:
    with refused(
        BadRequestError,
        "Invalid 'thread_id': 'wf_1'. Expected an ID that begins with 'thread'.",
        param="thread_id",
        code="invalid_value",
    ):
        client.beta.threads.retrieve("wf_1")


def test_the_beta_header_is_required(client: OpenAI) -> None:
    with refused(
        BadRequestError,
        "You must provide the 'OpenAI-Beta' header to access the Assistants API. "
        "Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
        code="invalid_beta",
    ):
        client.post("/threads", cast_to=object, body={})


def test_every_response_has_a_request_id(client: OpenAI) -> None:
    made = client.beta.threads.create()
    assert made._request_id is not None
    assert made._request_id.startswith("req_")
    with pytest.raises(NotFoundError) as error:
        client.beta.threads.retrieve("thread_none")
    assert error.value.request_id is not None
    assert error.value.request_id != made._request_id
