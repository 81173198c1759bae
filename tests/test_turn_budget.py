"""A budget lets so many tasks go on in one turn of the loop, in the order in which they were ready."""

import asyncio

from runstead.turn_budget import TurnBudget

TASKS = 1000
BUDGET = 10


async def go_on(budget: TurnBudget, go: asyncio.Event, number: int, done: list[int]) -> None:
    await go.wait()
    if not budget.take():
        await budget.next_turn()
    done.append(number)


async def test_tasks_that_are_ready_at_once_go_on_in_many_turns() -> None:
    budget, go, done = TurnBudget(BUDGET), asyncio.Event(), list[int]()
    async with asyncio.TaskGroup() as group:
        for number in range(TASKS):
            group.create_task(go_on(budget, go, number, done))
        await asyncio.sleep(0)
        go.set()
        most = 0
        while len(done) < TASKS:
            before = len(done)
            await asyncio.sleep(0)
            most = max(most, len(done) - before)
    assert most == BUDGET
    assert done == list(range(TASKS))


async def test_a_task_that_comes_later_goes_on_behind_those_that_wait() -> None:
    budget, done = TurnBudget(BUDGET), list[int]()
    go = asyncio.Event()
    go.set()
    async with asyncio.TaskGroup() as group:
        for number in range(5 * BUDGET):
            group.create_task(go_on(budget, go, number, done))
        await asyncio.sleep(0)
        group.create_task(go_on(budget, go, TASKS, done))
    assert done[-1] == TASKS


async def test_cancelled_tasks_take_no_turn() -> None:
    budget, done = TurnBudget(BUDGET), list[int]()
    go = asyncio.Event()
    go.set()
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(go_on(budget, go, number, done)) for number in range(5 * BUDGET)]
        await asyncio.sleep(0)
        for task in tasks[BUDGET : 4 * BUDGET]:
            task.cancel()
    assert done == [*range(BUDGET), *range(4 * BUDGET, 5 * BUDGET)]


async def test_a_lone_task_rarely_waits() -> None:
    budget, waits = TurnBudget(BUDGET), 0
    for _ in range(TASKS):
        if not budget.take():
            waits += 1
            await budget.next_turn()
    assert waits <= TASKS / BUDGET
