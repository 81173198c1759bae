"""Transactions: all or nothing, alone or together, and kept."""

import asyncio
from collections.abc import Callable
from functools import partial

import pytest

from runstead.store.port import Store, Tx
from runstead.wire.error import Closed, RunsteadError
from tests.store.things import (
    MINE,
    add_runs,
    assistant,
    created,
    event,
    find_thread,
    keep_thread,
    message,
    run,
    step_row,
    thread,
)


class Refused(Exception):
    """An exception of a work."""


async def test_a_work_that_raises_leaves_nothing(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.insert(MINE, thread())
        await tx.messages.insert(MINE, [message()])
        await created(tx, MINE, run(), [event()])
        raise Refused

    async def found(tx: Tx) -> list[object]:
        return [
            await tx.threads.get(MINE, "thread_1"),
            await tx.messages.get(MINE, "thread_1", "msg_1"),
            await tx.runs.load("run_1"),
            *await tx.events.after("run_1", 0, 10),
        ]

    with pytest.raises(Refused):
        await store.write(work)
    assert await store.read(found) == [None, None, None]
    assert await add_runs(store, run())


async def test_a_work_sees_what_it_wrote(store: Store) -> None:
    async def work(tx: Tx) -> object:
        await tx.threads.insert(MINE, thread())
        return await tx.threads.get(MINE, "thread_1")

    assert await store.write(work) == thread()


async def test_of_works_at_once_only_those_that_raise_fail(store: Store) -> None:
    async def work(number: int, tx: Tx) -> int:
        await tx.threads.insert(MINE, thread(f"thread_{number}"))
        if number % 3 == 0:
            raise Refused(number)
        return number

    results = await asyncio.gather(
        *(store.write(partial(work, number)) for number in range(100)),
        return_exceptions=True,
    )
    for number, result in enumerate(results):
        kept = await store.read(find_thread(f"thread_{number}"))
        if number % 3 == 0:
            assert isinstance(result, Refused)
            assert result.args == (number,)
            assert kept is None
        else:
            assert result == number
            assert kept == thread(f"thread_{number}")


async def test_works_at_once_see_each_other_whole(store: Store) -> None:
    async def count(tx: Tx) -> None:
        kept = await tx.assistants.get(MINE, "asst_1")
        assert kept is not None
        await tx.assistants.replace(MINE, assistant(metadata={"n": str(int(kept.assistant.metadata["n"]) + 1)}))

    await store.write(lambda tx: tx.assistants.insert(MINE, assistant(metadata={"n": "0"})))
    await asyncio.gather(*(store.write(count) for _ in range(50)))
    kept = await store.read(lambda tx: tx.assistants.get(MINE, "asst_1"))
    assert kept is not None
    assert kept.assistant.metadata == {"n": "50"}


async def test_a_read_sees_committed_writes(store: Store) -> None:
    async def one(number: int) -> None:
        await store.write(keep_thread(f"thread_{number}"))
        assert await store.read(find_thread(f"thread_{number}"))

    await asyncio.gather(*(one(number) for number in range(50)))


async def test_a_read_raises_the_exception_of_its_work(store: Store) -> None:
    async def work(tx: Tx) -> None:
        await tx.threads.get(MINE, "thread_1")
        raise Refused

    for _ in range(2):
        with pytest.raises(Refused):
            await store.read(work)


async def test_a_cancelled_caller_does_not_disturb_other_transactions(store: Store) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(store.write(keep_thread(f"thread_{number}"))) for number in range(20)]
        for turn, task in enumerate(tasks[::2]):
            if turn % 3 == 0:
                await asyncio.sleep(0)
            task.cancel()
    for number in range(1, 20, 2):
        assert await store.read(find_thread(f"thread_{number}"))


async def test_stopping_commits_waiting_writes(make: Callable[[], Store]) -> None:
    store = make()
    await store.start()
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(store.write(keep_thread(f"thread_{number}")))
        await asyncio.sleep(0)
        await store.stop()
    again = make()
    await again.start()
    for number in range(20):
        assert await again.read(find_thread(f"thread_{number}"))
    await again.stop()


async def test_a_store_that_is_not_open_is_an_error(store: Store) -> None:
    await store.stop()
    with pytest.raises(Closed):
        await store.write(keep_thread())
    with pytest.raises(Closed):
        await store.read(find_thread())
    await store.stop()


async def test_reopening_keeps_everything(make: Callable[[], Store]) -> None:
    async def fill(tx: Tx) -> None:
        await tx.assistants.insert(MINE, assistant())
        await tx.threads.insert(MINE, thread())
        await tx.messages.insert(MINE, [message()])
        await tx.steps.insert(MINE, step_row())
        await created(tx, MINE, run(), [event()])

    async def everything(tx: Tx) -> list[object]:
        return [
            await tx.assistants.get(MINE, "asst_1"),
            await tx.threads.get(MINE, "thread_1"),
            await tx.messages.get(MINE, "thread_1", "msg_1"),
            await tx.steps.get(MINE, "run_1", "step_1"),
            await tx.runs.load("run_1"),
            *await tx.events.after("run_1", 0, 10),
        ]

    kept = []
    for turn in range(3):
        store = make()
        await store.start()
        if turn == 0:
            await store.write(fill)
        kept.append(await store.read(everything))
        await store.stop()
    assert all(kept[0])
    assert len(kept[0]) == 6
    assert kept[0] == kept[1] == kept[2]


async def test_a_second_opening_is_refused_while_the_first_lasts(make_sole: Callable[[], Store]) -> None:
    first, second = make_sole(), make_sole()
    await first.start()
    with pytest.raises(RunsteadError, match="in use"):
        await second.start()
    with pytest.raises(Closed):
        await second.read(find_thread())
    await first.write(keep_thread())
    await first.stop()
    await second.start()
    assert await second.read(find_thread())
    await second.stop()


async def test_stores_that_share_a_place_see_each_others_writes(make_shared: Callable[[], Store]) -> None:
    first, second = make_shared(), make_shared()
    await asyncio.gather(first.start(), second.start())
    await first.write(keep_thread())
    assert await second.read(find_thread())
    await first.stop()
    await second.write(keep_thread("thread_2"))
    assert await second.read(find_thread("thread_2"))
    await second.stop()
