"""A page is a sequence of its own items, and iterates over those of all following pages."""

import pytest

from runstead.client import pagination
from runstead.client._async.client import AsyncClient
from runstead.wire.error import ServerError
from runstead.wire.struct import SortOrder
from tests.client import samples
from tests.client.wire_server import Response, WireServer

ONE, TWO, THREE, FOUR = (samples.thread(f"thread_{n}") for n in range(1, 5))


async def test_a_page_is_a_sequence_of_its_own_items(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", "/threads", Response.of(samples.page(ONE, TWO, has_more=True)))
    page = await client.threads(limit=2)
    assert len(page) == 2
    assert page[0].id == "thread_1"
    assert [item.id for item in page[-1:]] == ["thread_2"]
    assert page[1] in page
    assert page[1] in page.data
    assert (page.first_id, page.last_id, page.has_more) == ("thread_1", "thread_2", True)
    assert repr(page) == "<page of 2 items, has more>"
    assert len(server.seen) == 1


async def test_an_iteration_fetches_all_pages(client: AsyncClient, server: WireServer) -> None:
    pages = samples.page(ONE, TWO, has_more=True), samples.page(THREE, FOUR, has_more=True), samples.page()
    server.on("GET", "/threads", *(Response.of(page) for page in pages))
    page = await client.threads(limit=2, order=SortOrder.ASC)
    assert [item.id async for item in page] == ["thread_1", "thread_2", "thread_3", "thread_4"]
    assert [seen.target for seen in server.seen] == [
        "/v1/threads?limit=2&order=asc",
        "/v1/threads?limit=2&order=asc&after=thread_2",
        "/v1/threads?limit=2&order=asc&after=thread_4",
    ]


async def test_an_iteration_stops_at_the_last_page(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", "/threads", Response.of(samples.page(ONE)))
    assert [item.id async for item in await client.threads()] == ["thread_1"]
    assert len(server.seen) == 1


async def test_with_before_an_iteration_goes_backwards(client: AsyncClient, server: WireServer) -> None:
    server.on(
        "GET", "/threads", *(Response.of(page) for page in (samples.page(TWO, THREE, has_more=True), samples.page(ONE)))
    )
    page = await client.threads(limit=2, before="thread_4")
    assert [item.id async for item in page] == ["thread_3", "thread_2", "thread_1"]
    assert server.seen[1].target == "/v1/threads?limit=2&before=thread_2"


async def test_without_cursors_in_the_response_the_items_ids_are_used(client: AsyncClient, server: WireServer) -> None:
    first = {"object": "list", "data": [ONE], "has_more": True}
    server.on("GET", "/threads", Response.of(first), Response.of({"object": "list", "data": [TWO]}))
    assert [item.id async for item in await client.threads()] == ["thread_1", "thread_2"]
    assert server.seen[1].target == "/v1/threads?after=thread_1"


async def test_an_iteration_ends_when_the_server_repeats_a_cursor(client: AsyncClient, server: WireServer) -> None:
    server.on("GET", "/threads", Response.of(samples.page(ONE, has_more=True)))
    assert len([item async for item in await client.threads()]) == 2


async def test_next_page_fetches_one_page(client: AsyncClient, server: WireServer) -> None:
    pages = samples.page(ONE, has_more=True), samples.page(TWO)
    server.on("GET", "/threads", *(Response.of(page) for page in pages))
    second = await (await client.threads()).next_page()
    assert second is not None
    assert [item.id for item in second.data] == ["thread_2"]
    assert await second.next_page() is None


async def test_an_iteration_ends_at_a_page_that_was_already_visited(client: AsyncClient, server: WireServer) -> None:
    pages = [samples.page(each, has_more=True) for each in (ONE, TWO, ONE, TWO, ONE, TWO)]
    server.on("GET", "/threads", *map(Response.of, pages))
    assert [item.id async for item in await client.threads()] == ["thread_1", "thread_2", "thread_1"]
    assert len(server.seen) == 3


async def test_an_iteration_ends_at_a_page_without_items(client: AsyncClient, server: WireServer) -> None:
    empty = samples.page() | {"has_more": True, "last_id": "thread_9", "first_id": "thread_9"}
    server.on("GET", "/threads", Response.of(samples.page(ONE, has_more=True)), Response.of(empty))
    assert [item.id async for item in await client.threads()] == ["thread_1"]
    assert len(server.seen) == 2


async def test_an_endless_list_ends_in_an_error(
    client: AsyncClient, server: WireServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pagination, "MAX_PAGES", 3)
    server.on("GET", "/threads", *(Response.of(samples.page(each, has_more=True)) for each in (ONE, TWO, THREE, FOUR)))
    page = await client.threads()
    with pytest.raises(ServerError, match="more than 3 pages"):
        [item async for item in page]
    assert len(server.seen) == 3
