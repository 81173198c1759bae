"""Lists: order, cursors both ways, and an exact `has_more`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runstead.store.port import Store, Tx
from runstead.wire.content import Text, TextPart
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Status
from tests.contract.store.adapters import Adapter
from tests.store.things import MINE, asked, assistant, created, message, run, step_row, thread

Pager = Callable[[Tx, ListQuery], Awaitable[Page[Any] | None]]
PAGERS: dict[str, Pager] = {
    "assistants": lambda tx, query: tx.assistants.page(MINE, query),
    "threads": lambda tx, query: tx.threads.page(MINE, query),
    "messages": lambda tx, query: tx.messages.page(MINE, "thread_1", query),
    "messages of a run": lambda tx, query: tx.messages.page(MINE, "thread_1", query, "run_1"),
    "runs": lambda tx, query: tx.runs.page(MINE, "thread_1", query),
    "steps": lambda tx, query: tx.steps.page(MINE, "run_1", query),
}


async def fill(tx: Tx, times: Sequence[int]) -> None:
    """Objects `…_0` and up of every kind, created at these times, and some that are in no list of ours."""
    for number, at in enumerate(times):
        await tx.assistants.insert(MINE, assistant(f"item_{number}", at))
        await tx.threads.insert(MINE, thread(f"item_{number}", at))
        await created(tx, MINE, run(f"item_{number}", at, status=Status.COMPLETED), ())
        await created(tx, MINE, run(f"other_{number}", at, "thread_2", status=Status.COMPLETED), ())
        await tx.steps.insert(MINE, step_row(f"item_{number}", at))
        await tx.steps.insert(MINE, step_row(f"other_{number}", at, "run_2"))
        ours = message(f"item_{number}", at, run_id="run_1")
        await tx.messages.insert(MINE, [ours, message(f"other_{number}", at, "thread_2", run_id="run_2")])


async def look(store: Store, kind: str, query: ListQuery) -> Page[object] | None:
    return await store.read(lambda tx: PAGERS[kind](tx, query))


async def ids(store: Store, kind: str, query: ListQuery) -> tuple[list[int], bool]:
    page = await store.read(lambda tx: PAGERS[kind](tx, query))
    assert page is not None
    assert (page.first_id, page.last_id) == ((page.data[0].id, page.data[-1].id) if page.data else (None, None))
    return [int(each.id.removeprefix("item_")) for each in page.data], page.has_more


@pytest.mark.parametrize("kind", PAGERS)
async def test_an_empty_list_has_neither_cursors_nor_more(store: Store, kind: str) -> None:
    assert await look(store, kind, asked()) == Page(data=[], first_id=None, last_id=None, has_more=False)


@pytest.mark.parametrize("kind", PAGERS)
async def test_a_list_is_newest_first_or_turned_round_as_a_whole(store: Store, kind: str) -> None:
    await store.write(lambda tx: fill(tx, [100, 101, 99, 101, 50]))
    assert await ids(store, kind, asked()) == ([4, 3, 2, 1, 0], False)
    assert await ids(store, kind, asked(order="asc")) == ([0, 1, 2, 3, 4], False)


@pytest.mark.parametrize("kind", PAGERS)
async def test_before_gives_the_nearest_items_in_the_order_asked_for(store: Store, kind: str) -> None:
    await store.write(lambda tx: fill(tx, [100, 100, 100, 100, 100]))
    assert await ids(store, kind, asked(order="asc", before="item_2")) == ([0, 1], False)
    assert await ids(store, kind, asked(2, order="asc", before="item_4")) == ([2, 3], True)
    assert await ids(store, kind, asked(2, order="desc", before="item_0")) == ([2, 1], True)
    assert await ids(store, kind, asked(2, order="desc", before="item_2")) == ([4, 3], False)


@pytest.mark.parametrize("kind", PAGERS)
async def test_there_is_more_only_if_there_is(store: Store, kind: str) -> None:
    await store.write(lambda tx: fill(tx, [100, 100, 100]))
    assert await ids(store, kind, asked(2)) == ([2, 1], True)
    assert await ids(store, kind, asked(3)) == ([2, 1, 0], False)
    assert await ids(store, kind, asked(2, after="item_2")) == ([1, 0], False)


@pytest.mark.parametrize("kind", PAGERS)
@pytest.mark.parametrize("query", [asked(after="unknown"), asked(before="unknown"), asked(after="item_0", before="")])
async def test_an_unknown_cursor_gives_no_page(store: Store, kind: str, query: ListQuery) -> None:
    await store.write(lambda tx: fill(tx, [100, 100]))
    assert await look(store, kind, query) is None


@pytest.mark.parametrize("kind", ["messages", "messages of a run", "runs", "steps"])
async def test_an_item_of_another_list_is_an_unknown_cursor(store: Store, kind: str) -> None:
    await store.write(lambda tx: fill(tx, [100, 100]))
    assert await look(store, kind, asked(after="other_1")) is None


async def test_the_messages_of_a_run_are_those_it_wrote(store: Store) -> None:
    messages = [message("msg_1"), message("msg_2", run_id="run_1"), message("msg_3", run_id="run_2")]
    await store.write(lambda tx: tx.messages.insert(MINE, messages))
    page = await store.read(lambda tx: tx.messages.page(MINE, "thread_1", asked(), "run_1"))
    assert page is not None
    assert [each.id for each in page.data] == ["msg_2"]


def text(value: str) -> list[TextPart]:
    return [TextPart(text=Text(value=value))]


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_a_page_of_large_items_ends_early_and_the_next_one_continues(store: Store, order: str) -> None:
    """Each item has 0.75 megabytes, or as many values as take as long: two fit a page of two."""
    large = [message(f"item_{number}", content=text("x" * 750_000)) for number in range(5)]
    many = [message(f"item_{number}", content=text("x") * 3_000) for number in range(5, 10)]
    await store.write(lambda tx: tx.messages.insert(MINE, [*large, *many]))
    expected = [*range(10)] if order == "asc" else [*range(9, -1, -1)]
    for start in range(0, 10, 2):
        after = None if start == 0 else f"item_{expected[start - 1]}"
        found = await ids(store, "messages", asked(100, order, after))
        assert found == (expected[start : start + 2], start < 8)
    assert await ids(store, "messages", asked(100, order, None, f"item_{expected[4]}")) == (expected[2:4], True)


async def test_an_item_that_is_larger_than_a_page_is_a_page(store: Store) -> None:
    large = [message(f"item_{number}", content=text("x" * 2_500_000)) for number in range(3)]
    await store.write(lambda tx: tx.messages.insert(MINE, large))
    assert await ids(store, "messages", asked(100)) == ([2], True)
    assert await ids(store, "messages", asked(100, after="item_1")) == ([0], False)


async def test_commas_in_a_text_do_not_make_it_larger(store: Store) -> None:
    tables = [message(f"item_{number}", content=text('1,"\\",' * 2_000)) for number in range(100)]
    await store.write(lambda tx: tx.messages.insert(MINE, tables))
    assert await ids(store, "messages", asked(100)) == ([*range(100)][::-1], False)


async def test_large_messages_of_a_history_are_read_in_parts(store: Store) -> None:
    large = [message(f"item_{number}", content=text("x" * 750_000)) for number in range(5)]
    await store.write(lambda tx: tx.messages.insert(MINE, large))
    first = await store.read(lambda tx: tx.messages.newest(MINE, "thread_1", 64))
    last = await store.read(lambda tx: tx.messages.newest(MINE, "thread_1", 64, "item_1"))
    assert ([each.id for each in first.messages], first.more) == (["item_4", "item_3"], True)
    assert ([each.id for each in last.messages], last.more) == (["item_0"], False)


@asynccontextmanager
async def filled(adapter: Adapter, times: Sequence[int]) -> AsyncIterator[Store]:
    """A store of its own for an example."""
    with TemporaryDirectory() as folder:
        store = adapter.make(Path(folder))
        await store.start()
        try:
            await store.write(lambda tx: fill(tx, times))
            yield store
        finally:
            await store.stop()


times = st.lists(st.integers(100, 103), max_size=12)
numbers = st.none() | st.integers(0, 11)
orders = st.sampled_from(["asc", "desc"])


# A store costs more than a question to it.
questions = st.lists(st.tuples(st.integers(1, 5), orders, numbers, numbers), min_size=4, max_size=8)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times, questions)
async def test_a_page_is_a_slice_of_the_list(
    adapter: Adapter, times: list[int], questions: list[tuple[int, str, int | None, int | None]]
) -> None:
    async with filled(adapter, times) as store:
        for limit, order, *given in questions:
            after, before = [number if number is not None and number < len(times) else None for number in given]
            query = asked(limit, order, *(None if number is None else f"item_{number}" for number in (after, before)))
            for kind in PAGERS:
                assert await ids(store, kind, query) == sliced(len(times), limit, order, after, before)


def sliced(length: int, limit: int, order: str, after: int | None, before: int | None) -> tuple[list[int], bool]:
    """What a page is, and whether there is more: in the order of insertion, whatever the times."""
    all_ids = list(range(length))[:: -1 if order == "desc" else 1]
    first = 0 if after is None else all_ids.index(after) + 1
    last = len(all_ids) if before is None else all_ids.index(before)
    within = all_ids[first:last]
    at_the_end = after is None and before is not None
    return within[-limit:] if at_the_end else within[:limit], len(within) > limit


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(times, st.integers(1, 5), orders, st.booleans())
async def test_walking_the_pages_meets_every_item_once(
    adapter: Adapter, times: list[int], limit: int, order: str, backwards: bool
) -> None:
    async with filled(adapter, [*times, 105]) as store:
        whole, _ = await ids(store, "messages", asked(100, order))
        met: list[int] = []
        more = True
        while more:
            edge = f"item_{met[0 if backwards else -1]}" if met else f"item_{whole[-1 if backwards else 0]}"
            query = asked(limit, order, before=edge) if backwards else asked(limit, order, after=edge)
            page, more = await ids(store, "messages", query)
            met = page + met if backwards else met + page
            assert len(met) <= len(whole)
    assert met == (whole[:-1] if backwards else whole[1:])
