"""Lists: exact pages in both directions, even of objects that were created in the same second."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec
import pytest

from runstead.interface import PageOf
from runstead.llm.scripted import Turn, call
from runstead.wire.error import NotFound
from runstead.wire.run import RunRequest
from runstead.wire.struct import SortOrder
from tests.support.worlds import WEATHER, World, world

COUNT = 7


class Listed(NamedTuple):
    """A list of seven objects, and their ids in the order of creation."""

    page: Callable[..., Awaitable[PageOf[Any]]]
    ids: list[str]
    unknown: str


async def assistants(here: World) -> Listed:
    return Listed(here.project.assistants, [await here.assistant() for _ in range(COUNT)], "assistant")


async def threads(here: World) -> Listed:
    return Listed(here.project.threads, [await here.thread() for _ in range(COUNT)], "thread")


async def messages(here: World) -> Listed:
    thread_id = await here.thread(*map(str, range(COUNT)))
    await here.thread("of another thread")
    page = await here.project.messages(thread_id, order=SortOrder.ASC)
    assert [part["text"]["value"] for part in _parts(page)] == list(map(str, range(COUNT)))
    return Listed(_of(here.project.messages, thread_id), [message.id for message in page.data], "message")


async def runs(here: World) -> Listed:
    request = RunRequest(assistant_id=await here.assistant())
    thread_id = await here.thread("Hi")
    made = []
    for _ in range(COUNT):
        run = await here.project.create_run(thread_id, request)
        await here.ended(run)
        made.append(run.id)
    await here.ended(await here.start())
    return Listed(_of(here.project.runs, thread_id), made, "run")


async def steps(here: World) -> Listed:
    run = await here.start(tools=[WEATHER])
    for _ in range(COUNT - 1):
        await here.submit(await here.ended(run))
    await here.ended(run)
    made = [step.id for step in await here.steps(run)]
    return Listed(_of(here.project.run_steps, run.thread_id, run.id), made, "run step")


def answers(request: Any) -> Turn:
    """The model calls a function six times, then answers."""
    calls = sum(message["role"] == "tool" for message in request.messages)
    return call("weather") if request.functions and calls < COUNT - 1 else "Done."


LISTS = pytest.mark.parametrize("listed", [assistants, threads, messages, runs, steps])
Make = Callable[[World], Awaitable[Listed]]


@LISTS
@pytest.mark.parametrize("order", SortOrder)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
async def test_pages_forwards_have_every_item_once(listed: Make, order: SortOrder, limit: int) -> None:
    async with world(answers) as here:
        made = await listed(here)
        expected = made.ids if order is SortOrder.ASC else made.ids[::-1]
        found: list[str] = []
        after = None
        while True:
            page = await made.page(limit=limit, order=order, after=after)
            ids = [item.id for item in page.data]
            found += ids
            assert (page.first_id, page.last_id) == (ids[0], ids[-1])
            assert page.has_more == (len(found) < COUNT)
            if not page.has_more:
                break
            assert len(ids) == limit
            after = page.last_id
        assert found == expected


@LISTS
@pytest.mark.parametrize("order", SortOrder)
async def test_pages_backwards_have_the_items_before_the_cursor(listed: Make, order: SortOrder) -> None:
    async with world(answers) as here:
        made = await listed(here)
        expected = made.ids if order is SortOrder.ASC else made.ids[::-1]
        page = await made.page(order=order, before=expected[5], limit=2)
        assert [item.id for item in page.data] == expected[3:5]
        assert page.has_more
        page = await made.page(order=order, before=expected[2], limit=2)
        assert [item.id for item in page.data] == expected[:2]
        assert not page.has_more
        page = await made.page(order=order, after=expected[0], before=expected[3])
        assert [item.id for item in page.data] == expected[1:3]


@LISTS
async def test_the_newest_item_is_first_by_default(listed: Make) -> None:
    async with world(answers) as here:
        made = await listed(here)
        assert [item.id for item in (await made.page()).data] == made.ids[::-1]


@LISTS
@pytest.mark.parametrize("cursor", ["after", "before"])
async def test_an_empty_page_has_no_cursors(listed: Make, cursor: str) -> None:
    async with world(answers) as here:
        made = await listed(here)
        end = made.ids[-1] if cursor == "after" else made.ids[0]
        page = await made.page(order=SortOrder.ASC, **{cursor: end})
        assert (list(page.data), page.first_id, page.last_id, page.has_more) == ([], None, None, False)


@LISTS
@pytest.mark.parametrize("cursor", ["after", "before"])
async def test_an_unknown_cursor_is_not_found(listed: Make, cursor: str) -> None:
    async with world(answers) as here:
        made = await listed(here)
        with pytest.raises(NotFound) as refused:
            await made.page(**{cursor: "nothing_of_this_list"})
        assert refused.value.message == f"No {made.unknown} found with id 'nothing_of_this_list'."


async def test_messages_can_be_filtered_by_their_run() -> None:
    async with world(["First.", "Second."]) as here:
        run = await here.ended(await here.start("One"))
        again = await here.ended(await here.again(run))
        [first], [second] = await here.written(run), await here.written(again)
        page = await here.project.messages(run.thread_id, run_id=again.id)
        assert [message.id for message in page.data] == [second.id]
        assert first.run_id == run.id
        assert (await here.project.messages(run.thread_id, run_id="run_of_nobody")).data == []


def _of(page: Callable[..., Awaitable[PageOf[Any]]], *path: str) -> Callable[..., Awaitable[PageOf[Any]]]:
    async def fetch(**query: Any) -> PageOf[Any]:
        return await page(*path, **query)

    return fetch


def _parts(page: PageOf[Any]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(message.content[0]) for message in page.data]
