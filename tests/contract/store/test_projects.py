"""Projects: their own limits stand above the defaults, and hold at once for everyone."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from runstead.store.port import Limits, NoRoom, ProjectRow, Store, Tx
from runstead.wire.run import Status
from tests.store.things import MINE, THEIRS, add_runs, asked, run

NOW = 1000
DEFAULTS = Limits(max_running=2, max_queued=2)
NONE = 0


async def put(store: Store, name: str = MINE, at: int = 1, **limits: int) -> None:
    await store.write(lambda tx: tx.projects.put(ProjectRow(name=name, created_at=at, **limits)))


async def queue(store: Store, count: int, project: str = MINE, status: Status = Status.QUEUED) -> None:
    runs = [run(f"{project}_{status}_{n}", 900, f"{project}_{status}_{n}", status=status) for n in range(count)]
    await add_runs(store, *(replace(each, expires_at=9999) for each in runs), project=project)


async def test_a_project_is_kept_with_its_limits(store: Store) -> None:
    assert await store.read(lambda tx: tx.projects.get(MINE)) is None
    row = ProjectRow(name=MINE, created_at=1, max_running=5)
    await store.write(lambda tx: tx.projects.put(row))
    assert await store.read(lambda tx: tx.projects.get(MINE)) == row
    await put(store, at=7, max_queued=3)
    assert await store.read(lambda tx: tx.projects.get(MINE)) == ProjectRow(name=MINE, created_at=1, max_queued=3)
    assert await store.write(lambda tx: tx.projects.delete(MINE))
    assert not await store.write(lambda tx: tx.projects.delete(MINE))
    assert await store.read(lambda tx: tx.projects.get(MINE)) is None


async def test_projects_are_listed_in_pages(store: Store) -> None:
    for number in range(5):
        await put(store, f"project_{number}", number)
    page = await store.read(lambda tx: tx.projects.page(asked(2, after="project_3")))
    assert page is not None
    assert ([each.name for each in page.data], page.has_more) == (["project_2", "project_1"], True)
    assert await store.read(lambda tx: tx.projects.page(asked(2, after="unknown"))) is None


@pytest.mark.parametrize(
    ("own", "held"),
    [
        ({}, DEFAULTS),
        ({"max_running": 7}, Limits(max_running=7, max_queued=2)),
        ({"max_queued": 7}, Limits(max_running=2, max_queued=7)),
        ({"max_running": NONE, "max_queued": NONE}, Limits()),
    ],
)
async def test_limits_that_a_project_does_not_set_are_default(store: Store, own: dict[str, int], held: Limits) -> None:
    await store.write(lambda tx: tx.projects.put(ProjectRow(name=MINE, created_at=1, **own)))
    assert await store.read(lambda tx: tx.projects.limits(MINE, DEFAULTS)) == held
    assert await store.read(lambda tx: tx.projects.limits(THEIRS, DEFAULTS)) == DEFAULTS
    opening = await store.read(lambda tx: tx.runs.opening(MINE, "thread", "asst", DEFAULTS))
    assert opening.limits == held


async def full(store: Store) -> bool:
    return (await store.read(lambda tx: tx.runs.opening(MINE, None, "asst", DEFAULTS))).queue_full


async def test_a_queue_is_as_long_as_its_project_says(store: Store) -> None:
    await queue(store, 2)
    assert await full(store)
    for own, reached in ((3, False), (2, True), (1, True), (NONE, False)):
        await put(store, max_queued=own)
        assert await full(store) is reached


async def turn(store: Store, defaults: int | None = 2) -> str:
    async def work(tx: Tx) -> str:
        found = await tx.runs.next_claimable(f"{MINE}_queued_0", defaults, NOW)
        return "none" if found is None else f"limited: {found.limited}"

    try:
        return await store.write(work)
    except NoRoom:
        return "no room"


async def test_as_many_runs_are_claimed_as_their_project_says(store: Store) -> None:
    await queue(store, 3)
    await queue(store, 2, status=Status.IN_PROGRESS)
    assert await turn(store) == "no room"
    for own, expected in ((3, "limited: True"), (2, "no room"), (NONE, "limited: False")):
        await put(store, max_running=own)
        assert await turn(store) == expected
    await put(store)
    assert await turn(store, None) == "limited: False"
    await put(store, max_running=1)
    assert await turn(store, None) == "no room"


async def test_workers_find_as_many_runs_as_each_project_may_have(store: Store) -> None:
    for project in (MINE, THEIRS):
        await queue(store, 4, project)

    async def ready(most: int | None) -> list[int]:
        found = await store.read(lambda tx: tx.runs.claimable(most, NOW, 100))
        return [sum(name.startswith(project) for name in found) for project in (MINE, THEIRS)]

    assert await ready(2) == [2, 2]
    await put(store, max_running=3)
    assert await ready(2) == [3, 2]
    assert await ready(None) == [3, 4]
    await put(store, max_running=NONE)
    assert await ready(2) == [4, 2]


async def test_a_limit_holds_at_once_in_another_process(make_shared: Callable[[], Store]) -> None:
    here, there = make_shared(), make_shared()
    for store in (here, there):
        await store.start()
    await queue(here, 1)
    await queue(here, 1, status=Status.IN_PROGRESS)
    assert await turn(there) == "limited: True"
    await put(here, max_running=1, max_queued=1)
    assert await turn(there) == "no room"
    assert await full(there)
    for store in (here, there):
        await store.stop()
