"""The queue of runs: which may be claimed, in which order, and how many of a project at once."""

import asyncio

import pytest

from runstead.store.port import Limits, NoRoom, RunRow, Store, Tx
from runstead.wire.run import Run, Status
from tests.store.things import MINE, THEIRS, add_runs, becomes, changed, created, run

NOW = 1000


def several(count: int, status: Status = Status.QUEUED, at: int = 900, name: str = "run") -> list[Run]:
    return [run(f"{name}_{n}", at, f"{name}_thread_{n}", status=status, expires_at=9999) for n in range(count)]


async def ready(store: Store, most: int | None = None, limit: int = 100, now: int = NOW) -> list[str]:
    return await store.read(lambda tx: tx.runs.claimable(most, now, limit))


async def turn(store: Store, run_id: str, most: int | None = None) -> str | None:
    found = await store.write(lambda tx: tx.runs.next_claimable(run_id, most, NOW))
    return None if found is None else found.row.run.id


async def delay(store: Store, row: RunRow, until: int) -> RunRow:
    return await store.write(lambda tx: changed(tx, row, row.run, (), ready_at=until))


async def test_projects_come_in_turn_and_each_with_its_oldest(store: Store) -> None:
    await add_runs(store, *several(4))
    await add_runs(store, *several(2, at=950, name="other"), project=THEIRS)
    assert await ready(store) == ["run_0", "other_0", "run_1", "other_1", "run_2", "run_3"]
    assert await ready(store, limit=3) == ["run_0", "other_0", "run_1"]


async def test_the_project_with_the_fewest_running_comes_first(store: Store) -> None:
    await add_runs(store, *several(4), *several(2, Status.IN_PROGRESS, name="busy"))
    await add_runs(store, *several(3, at=950, name="other"), project=THEIRS)
    assert await ready(store, limit=4) == ["other_0", "other_1", "run_0", "other_2"]


async def test_of_a_project_no_more_are_ready_than_it_has_room_for(store: Store) -> None:
    await add_runs(
        store,
        *several(4),
        *several(1, Status.IN_PROGRESS, name="busy"),
        *several(1, Status.CANCELLING, name="stopping"),
    )
    await add_runs(store, *several(5, at=950, name="other"), project=THEIRS)
    assert await ready(store, 3) == ["other_0", "other_1", "run_0", "other_2"]
    assert [name for name in await ready(store, 2) if name.startswith("run")] == []


async def test_delayed_paused_overdue_and_queued_behind_are_not_claimable(store: Store) -> None:
    [late, overdue, paused, _] = await add_runs(store, *several(4))
    delayed = await delay(store, late, NOW + 1)
    await store.write(lambda tx: changed(tx, paused, becomes(paused.run, Status.REQUIRES_ACTION), ()))
    await store.write(lambda tx: changed(tx, overdue, becomes(overdue.run, Status.QUEUED, expires_at=NOW), ()))
    await store.write(lambda tx: created(tx, MINE, run("behind", 1, "run_thread_3"), (), predecessor="run_3"))
    assert await ready(store) == ["run_3"]
    assert await turn(store, "run_0") == "run_3"
    assert await ready(store, now=NOW + 1) == ["run_0", "run_3"]
    assert delayed.ready_at == NOW + 1


async def test_a_delay_ends_with_a_claim_and_is_forgotten_at_the_next_pause(store: Store) -> None:
    [row] = await add_runs(store, run())
    for before in (1, 2):
        row = await delay(store, row, NOW + 5)
        assert row.delays == before
    row = await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.IN_PROGRESS), (), "worker_1", 0))
    assert (row.ready_at, row.delays) == (0, 2)
    row = await store.write(lambda tx: changed(tx, row, becomes(row.run, Status.REQUIRES_ACTION), ()))
    assert row.delays == 0
    assert await store.read(lambda tx: tx.runs.load("run_1")) == row


async def test_an_offer_of_a_run_claims_the_oldest_of_its_project(store: Store) -> None:
    await add_runs(store, *several(3))
    await add_runs(store, *several(1, at=1, name="other"), project=THEIRS)
    assert await turn(store, "run_2") == "run_0"
    assert await turn(store, "other_0") == "other_0"
    assert await turn(store, "unknown") is None
    assert await turn(store, "unknown", 1) is None


async def test_a_project_at_its_limit_has_no_claimable_run(store: Store) -> None:
    await add_runs(store, *several(3), *several(2, Status.IN_PROGRESS, name="busy"))
    assert await turn(store, "run_0", 3) == "run_0"
    with pytest.raises(NoRoom) as full:
        await turn(store, "run_0", 2)
    assert full.value.project == MINE


async def test_a_new_run_is_below_the_limit_while_none_is_ready_and_fewer_are_running(store: Store) -> None:
    async def room(most: int) -> bool:
        return await store.write(lambda tx: tx.runs.below_limit(MINE, most, NOW))

    await add_runs(store, *several(2, Status.IN_PROGRESS, name="busy"), *several(2, Status.COMPLETED, name="done"))
    await add_runs(store, *several(5, name="other"), project=THEIRS)
    assert await room(3)
    assert not await room(2)
    [row] = await add_runs(store, *several(1))
    assert not await room(3)
    await delay(store, row, NOW + 1)
    assert await room(3)


async def test_a_queue_counts_all_runs_that_wait(store: Store) -> None:
    async def crowded(most: int) -> bool:
        limits = Limits(max_queued=most)
        return (await store.read(lambda tx: tx.runs.opening(MINE, "thread", "asst", limits))).queue_full

    assert not await crowded(1)
    [row, *_] = await add_runs(store, *several(2), *several(2, Status.IN_PROGRESS, name="busy"))
    await add_runs(store, *several(5, name="other"), project=THEIRS)
    await delay(store, row, NOW + 1)
    await store.write(lambda tx: created(tx, MINE, run("behind", 1, "run_thread_0"), (), predecessor="run_0"))
    assert await crowded(3)
    assert not await crowded(4)


async def test_of_many_claims_at_once_no_more_succeed_than_the_limit(store: Store) -> None:
    await add_runs(store, *several(20))

    async def take(tx: Tx) -> str | None:
        found = await tx.runs.next_claimable("run_0", 5, NOW)
        if found is None:
            return None
        await changed(tx, found.row, becomes(found.row.run, Status.IN_PROGRESS), (), "worker_1")
        return found.row.run.id

    results = await asyncio.gather(*(store.write(take) for _ in range(20)), return_exceptions=True)
    assert sorted(str(result) for result in results if not isinstance(result, NoRoom)) == [f"run_{n}" for n in range(5)]
