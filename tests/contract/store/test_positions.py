"""Order is a position: clocks that go back, and writers whose clocks are minutes apart, change no list."""

from collections.abc import Sequence
from functools import partial

import pytest

from runstead.domain.run.change import Change
from runstead.store.port import RunRow, Store, Tx
from runstead.wire.message import Message
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Status
from runstead.wire.run_step import RunStep
from tests.store.things import MINE, add_runs, asked, becomes, changed, created, message, newest_messages, run, step_row

CLOCKS = {
    "goes back": [1000, 700, 400, 100, 50],
    "jumps ahead and back": [1000, 2**40, 3, 1001, 1002],
    "two machines take turns": [1000, 400, 1001, 401, 1002],
    "stands still": [1000] * 5,
}


@pytest.fixture(params=CLOCKS, ids=lambda name: name.replace(" ", "_"))
def times(request: pytest.FixtureRequest) -> Sequence[int]:
    """The times that five writes in a row read on the clocks of their machines."""
    return CLOCKS[request.param]


async def listed(store: Store, query: ListQuery) -> list[str]:
    page = await store.read(lambda tx: tx.messages.page(MINE, "thread_1", query))
    assert page is not None
    return [each.id for each in page.data]


async def say(store: Store, row: RunRow, name: str, at: int) -> RunRow:
    """A run writes a message."""
    change = Change(run=row.run, new_messages=[message(name, at, run_id=row.run.id, role="assistant")])
    return (await store.write(lambda tx: tx.runs.apply(row, change, at))).row


async def test_a_transcript_grows_at_its_end(store: Store, times: Sequence[int]) -> None:
    """A question, a run that answers in two messages, the next question, and one more."""
    question, created_at, first, second, again = times
    await store.write(lambda tx: tx.messages.add(MINE, message("question", question)))
    [row] = await add_runs(store, run("run_1", created_at))
    for name, at in (("first", first), ("second", second)):
        row = await say(store, row, name, at)
    await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.COMPLETED), ()))
    assert await store.write(lambda tx: tx.messages.add(MINE, message("again", again)))
    whole = ["question", "first", "second", "again"]
    newest = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 2))
    assert [each.id for each in newest] == ["again", "second"]
    older = await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 2, "second"))
    assert [each.id for each in older] == ["first", "question"]
    assert await listed(store, asked()) == whole[::-1]
    assert await listed(store, asked(order="asc")) == whole
    assert await listed(store, asked(1, after="again")) == ["second"]
    assert await listed(store, asked(2, "asc", after="question")) == ["first", "second"]
    assert await listed(store, asked(1, "asc", before="again")) == ["second"]
    assert await listed(store, asked(2, before="first")) == ["again", "second"]
    of_run = await store.read(lambda tx: tx.messages.page(MINE, "thread_1", asked(order="asc"), "run_1"))
    assert of_run is not None
    assert [each.id for each in of_run.data] == ["first", "second"]


async def test_a_message_that_waited_takes_its_position_when_it_joins(store: Store, times: Sequence[int]) -> None:
    before, created_at, waiting, answer, after = times
    await store.write(lambda tx: tx.messages.add(MINE, message("before", before)))
    [row] = await add_runs(store, run("run_1", created_at))
    late = [message("waiting_1", waiting), message("waiting_2", waiting - 1)]
    await store.write(lambda tx: tx.messages.insert(MINE, late, predecessor="run_1"))
    row = await say(store, row, "answer", answer)
    assert await listed(store, asked(order="asc")) == ["before", "answer", "waiting_1", "waiting_2"]
    assert await listed(store, asked(2, "asc", after="answer")) == ["waiting_1", "waiting_2"]
    assert await listed(store, asked(1, before="waiting_1")) == ["waiting_2"]
    assert [each.id for each in await newest_of(store)] == ["answer", "before"]
    await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.COMPLETED), ()))
    assert await store.write(lambda tx: tx.messages.add(MINE, message("after", after)))
    whole = ["before", "answer", "waiting_1", "waiting_2", "after"]
    assert await listed(store, asked(order="asc")) == whole
    assert [each.id for each in await newest_of(store)] == whole[::-1]
    shown = await store.read(lambda tx: tx.messages.get(MINE, "thread_1", "waiting_1"))
    assert shown is not None
    assert shown.created_at == waiting


async def newest_of(store: Store) -> list[Message]:
    return await store.read(lambda tx: newest_messages(tx, MINE, "thread_1", 20))


async def steps_page(query: ListQuery, tx: Tx) -> Page[RunStep] | None:
    return await tx.steps.page(MINE, "run_1", query)


async def test_a_journal_has_its_steps_in_the_order_of_their_writing(store: Store, times: Sequence[int]) -> None:
    [row] = await add_runs(store, run("run_1", times[0]))

    async def work(tx: Tx, row: RunRow = row) -> None:
        for number, at in enumerate(times):
            change = Change(run=row.run, new_steps=[step_row(f"step_{number}", at)])
            row = (await tx.runs.apply(row, change, at)).row

    await store.write(work)
    expected = [f"step_{number}" for number in range(len(times))]
    assert [each.id for each in await store.read(lambda tx: tx.steps.of_run("run_1"))] == expected
    for order, turned in (("asc", expected), ("desc", expected[::-1])):
        page = await store.read(partial(steps_page, asked(order=order)))
        assert page is not None
        assert [each.id for each in page.data] == turned


async def test_runs_are_listed_and_claimed_in_the_order_of_their_creation(store: Store, times: Sequence[int]) -> None:
    names = [f"run_{number}" for number in range(len(times))]
    queued = [run(name, at, f"thread_of_{name}", expires_at=None) for name, at in zip(names, times, strict=True)]
    await add_runs(store, *queued)
    assert await store.read(lambda tx: tx.runs.claimable(None, 2000, 10)) == names
    found = await store.write(lambda tx: tx.runs.next_claimable(names[-1], None, 2000))
    assert found is not None
    assert found.row.run.id == names[0]

    async def wait_in_line(tx: Tx) -> None:
        predecessor: str | None = None
        for number, at in enumerate(times):
            row = await created(tx, MINE, run(f"in_line_{number}", at, "thread_1"), (), predecessor=predecessor)
            predecessor = row.run.id

    await store.write(wait_in_line)
    page = await store.read(lambda tx: tx.runs.page(MINE, "thread_1", asked()))
    assert page is not None
    assert [each.id for each in page.data] == [f"in_line_{number}" for number in range(len(times))][::-1]
    tail = await store.write(lambda tx: tx.runs.queue_tail(MINE, "thread_1"))
    assert tail is not None
    assert tail.run.id == f"in_line_{len(times) - 1}"
