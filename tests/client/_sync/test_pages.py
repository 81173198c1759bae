# Generated from tests/client/_async/test_pages.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""A page is a sequence of its items, and an iteration over all."""

from runstead.client._sync.client import Client
from runstead.wire.struct import SortOrder
from tests.client import samples
from tests.client.wire_server import Answer, WireServer

ONE, TWO, THREE, FOUR = (samples.thread(f"thread_{n}") for n in range(1, 5))


def test_a_page_is_a_sequence_of_its_own_items(client: Client, server: WireServer) -> None:
    server.on("GET", "/threads", Answer.of(samples.page(ONE, TWO, has_more=True)))
    page = client.threads(limit=2)
    assert len(page) == 2
    assert page[0].id == "thread_1"
    assert [item.id for item in page[-1:]] == ["thread_2"]
    assert page[1] in page
    assert page[1] in page.data
    assert (page.first_id, page.last_id, page.has_more) == ("thread_1", "thread_2", True)
    assert repr(page) == "<page of 2 items, has more>"
    assert len(server.seen) == 1


def test_an_iteration_goes_over_all_items(client: Client, server: WireServer) -> None:
    pages = samples.page(ONE, TWO, has_more=True), samples.page(THREE, FOUR, has_more=True), samples.page()
    server.on("GET", "/threads", *(Answer.of(page) for page in pages))
    page = client.threads(limit=2, order=SortOrder.ASC)
    assert [item.id for item in page] == ["thread_1", "thread_2", "thread_3", "thread_4"]
    assert [seen.target for seen in server.seen] == [
        "/v1/threads?limit=2&order=asc",
        "/v1/threads?limit=2&order=asc&after=thread_2",
        "/v1/threads?limit=2&order=asc&after=thread_4",
    ]


def test_an_iteration_asks_no_further_than_the_last_page(client: Client, server: WireServer) -> None:
    server.on("GET", "/threads", Answer.of(samples.page(ONE)))
    assert [item.id for item in client.threads()] == ["thread_1"]
    assert len(server.seen) == 1


def test_with_before_an_iteration_travels_away_from_that_item(client: Client, server: WireServer) -> None:
    server.on(
        "GET", "/threads", *(Answer.of(page) for page in (samples.page(TWO, THREE, has_more=True), samples.page(ONE)))
    )
    page = client.threads(limit=2, before="thread_4")
    assert [item.id for item in page] == ["thread_3", "thread_2", "thread_1"]
    assert server.seen[1].target == "/v1/threads?limit=2&before=thread_2"


def test_a_server_that_names_no_cursors_is_paged_by_its_items(client: Client, server: WireServer) -> None:
    first = {"object": "list", "data": [ONE], "has_more": True}
    server.on("GET", "/threads", Answer.of(first), Answer.of({"object": "list", "data": [TWO]}))
    assert [item.id for item in client.threads()] == ["thread_1", "thread_2"]
    assert server.seen[1].target == "/v1/threads?after=thread_1"


def test_a_server_that_says_the_same_page_again_does_not_keep_us(client: Client, server: WireServer) -> None:
    server.on("GET", "/threads", Answer.of(samples.page(ONE, has_more=True)))
    assert len(list(client.threads())) == 2


def test_pages_can_be_turned_by_hand(client: Client, server: WireServer) -> None:
    pages = samples.page(ONE, has_more=True), samples.page(TWO)
    server.on("GET", "/threads", *(Answer.of(page) for page in pages))
    second = (client.threads()).next_page()
    assert second is not None
    assert [item.id for item in second.data] == ["thread_2"]
    assert second.next_page() is None
