"""Pagination with the official client."""

import pytest
from openai import BadRequestError, NotFoundError, OpenAI
from openai.types.beta.threads import Message, TextContentBlock

from tests.compat.script import refused

COUNT = 5


@pytest.fixture
def thread_id(client: OpenAI) -> str:
    """A thread with five messages, all made within one request and so within one second."""
    made = client.beta.threads.create(messages=[{"role": "user", "content": str(n)} for n in range(COUNT)])
    return made.id


def numbers(messages: list[Message]) -> list[int]:
    found = []
    for message in messages:
        [part] = message.content
        assert isinstance(part, TextContentBlock)
        found.append(int(part.text.value))
    return found


def test_an_iteration_over_all_pages_oldest_first(client: OpenAI, thread_id: str) -> None:
    assert numbers(list(client.beta.threads.messages.list(thread_id, limit=2, order="asc"))) == [0, 1, 2, 3, 4]


def test_an_iteration_over_all_pages_newest_first(client: OpenAI, thread_id: str) -> None:
    assert numbers(list(client.beta.threads.messages.list(thread_id, limit=2))) == [4, 3, 2, 1, 0]


def test_a_full_last_page_has_no_more(client: OpenAI, thread_id: str) -> None:
    page = client.beta.threads.messages.list(thread_id, limit=COUNT)
    assert page.has_more is False
    assert client.beta.threads.messages.list(thread_id, limit=COUNT - 1).has_more is True
    assert [len(each.data) for each in page.iter_pages()] == [COUNT]


def test_a_page_has_the_ids_of_its_ends(client: OpenAI, thread_id: str) -> None:
    page = client.beta.threads.messages.list(thread_id, limit=2)
    dumped = page.model_dump()
    assert (dumped["first_id"], dumped["last_id"]) == (page.data[0].id, page.data[-1].id)


def test_cursors_are_exclusive_and_follow_the_order(client: OpenAI, thread_id: str) -> None:
    messages = client.beta.threads.messages
    middle = messages.list(thread_id).data[2].id
    assert numbers(messages.list(thread_id, order="asc", after=middle).data) == [3, 4]
    assert numbers(messages.list(thread_id, order="asc", before=middle).data) == [0, 1]
    assert numbers(messages.list(thread_id, order="desc", after=middle).data) == [1, 0]
    assert numbers(messages.list(thread_id, order="desc", before=middle).data) == [4, 3]


def test_a_limit_above_a_hundred_is_refused(client: OpenAI, thread_id: str) -> None:
    with refused(
        BadRequestError,
        "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 instead.",
        param="limit",
        code="integer_above_max_value",
    ):
        client.beta.threads.messages.list(thread_id, limit=101)


def test_an_unknown_cursor_is_not_found(client: OpenAI, thread_id: str) -> None:
    with refused(NotFoundError, "No message found with id 'msg_none'."):
        client.beta.threads.messages.list(thread_id, after="msg_none")
