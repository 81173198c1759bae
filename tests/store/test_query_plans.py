"""No statement walks a table, and no page costs more the longer the list."""

import sqlite3
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from runstead.store.port import Limits, Tx
from runstead.store.sqlite.connection import SqliteSession, connect
from runstead.store.sqlite.migrations import migrate
from runstead.store.tables.queries import load
from runstead.store.tables.transaction import SqlTx
from tests.store.things import MINE, THEIRS, asked, created, message, run

QUERIES = load("sqlite")
STATEMENTS = [
    (table, name)
    for table, statements in QUERIES.items()
    for name in statements
    if name not in {"lock_project", "expired"}
]


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(str(path), 1)
    migrate(connection, str(path))
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, statement: str) -> list[str]:
    """How SQLite goes about a statement, step by step."""
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", defaultdict(int))]


@pytest.mark.parametrize(("table", "name"), STATEMENTS)
def test_a_statement_searches_and_sorts_by_an_index(connection: sqlite3.Connection, table: str, name: str) -> None:
    steps = plan(connection, QUERIES[table][name])
    assert not [step for step in steps if "TEMP B-TREE" in step]
    # A partial index holds few rows, and in the order they are wanted.
    few = ("INDEX runs_held", "INDEX runs_deadline", "INDEX runs_waiting_deadline", "INDEX vector_store_files_due")
    made = (
        "lines",
        "turns",
        "pending",
        "one",
        "busy",
        "CONSTANT ROW",
        "json_each VIRTUAL TABLE INDEX 1:",
    )  # by the statement itself
    assert not [step for step in steps if step.startswith("SCAN") and not step.endswith(few + made)]


@pytest.mark.parametrize(
    ("statement", "index"),
    {
        "assistants.page": "assistants_order (project=? AND seq>? AND seq<?)",
        "threads.page": "threads_order (project=? AND seq>? AND seq<?)",
        "messages.page": "messages_order (thread_id=? AND <expr>>? AND <expr><?)",
        "messages.run_page": "messages_order_of_run (run_id=? AND seq>? AND seq<?)",
        "runs.page": "runs_order (thread_id=? AND seq>? AND seq<?)",
        "steps.page": "steps_order (run_id=? AND seq>? AND seq<?)",
        "webhooks.page": "webhooks_order (project=? AND seq>? AND seq<?)",
        "files.page": "files_order (project=? AND seq>? AND seq<?)",
        "files.purpose_page": "files_order_of_purpose (project=? AND purpose=? AND seq>? AND seq<?)",
        "vector_stores.page": "vector_stores_order (project=? AND seq>? AND seq<?)",
    }.items(),
)
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_page_begins_and_ends_in_its_index(
    connection: sqlite3.Connection, statement: str, index: str, direction: str
) -> None:
    table, name = statement.split(".")
    search, *guard = plan(connection, QUERIES[table][f"{name}_{direction}"])
    assert search == f"SEARCH {table} USING INDEX {index}"
    assert all("SUBQUERY" in step or "deletions USING COVERING INDEX" in step for step in guard)


@pytest.mark.parametrize(
    ("name", "index"),
    {
        "active": "INDEX runs_active (thread_id=?)",
        "overdue": "INDEX runs_deadline (expires_at<?)",
        "next_deadline": "INDEX runs_deadline (expires_at>?)",
        "has_queued": "COVERING INDEX runs_queue (status=? AND project=?)",
    }.items(),
)
def test_queries_of_workers_have_their_own_indexes(connection: sqlite3.Connection, name: str, index: str) -> None:
    [only] = plan(connection, QUERIES["runs"][name])
    assert only.endswith(f" runs USING {index}")


PAGES: list[Callable[[Tx], Awaitable[object]]] = [
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20)),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20, "asc")),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20, after="middle")),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20, before="middle")),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20), "run_1"),
    lambda tx: tx.messages.newest(MINE, "thread_1", 20, "middle"),
    lambda tx: created(tx, MINE, run("run_1"), ()),
    lambda tx: tx.runs.active(MINE, "thread_1"),
]


def count_of(connection: sqlite3.Connection) -> Callable[[Callable[[], Awaitable[object]]], Awaitable[int]]:
    """Counts the steps of SQLite's machine that something takes, and undoes it."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    async def cost(do: Callable[[], Awaitable[object]]) -> int:
        nonlocal steps
        steps = 0
        connection.execute("SAVEPOINT cost")
        connection.set_progress_handler(count, 1)
        await do()
        connection.set_progress_handler(None, 0)
        connection.execute("ROLLBACK TO cost")
        connection.execute("RELEASE cost")
        return steps

    return cost


async def test_a_long_thread_costs_as_much_as_a_short_one(connection: sqlite3.Connection) -> None:
    tx, cost = SqlTx(SqliteSession(connection), QUERIES), count_of(connection)

    async def costs() -> list[int]:
        return [await cost(partial(page, tx)) for page in PAGES]

    async def add(numbers: range) -> None:
        await tx.messages.insert(MINE, [message(f"msg_{number}", run_id="run_1") for number in numbers])

    connection.execute("BEGIN")
    await add(range(25))
    await tx.messages.insert(MINE, [message("middle", run_id="run_1")])
    await add(range(25, 50))
    short = await costs()
    await add(range(50, 20_000))
    assert await costs() == short
    connection.execute("ROLLBACK")


LOOKS: list[Callable[[Tx], Awaitable[object]]] = [
    lambda tx: tx.runs.claimable(100, 1000, 50),
    lambda tx: tx.runs.claimable(None, 1000, 50),
    lambda tx: tx.runs.next_claimable("run_0", None, 1000),
    lambda tx: tx.runs.below_limit(MINE, 100, 1000),
    lambda tx: tx.runs.has_queued(MINE),
    lambda tx: tx.runs.opening(MINE, "thread_0", "asst_1", Limits(max_queued=200)),
]


async def test_a_long_backlog_costs_as_much_as_a_short_one(connection: sqlite3.Connection) -> None:
    tx, cost = SqlTx(SqliteSession(connection), QUERIES), count_of(connection)

    async def costs() -> list[int]:
        return [await cost(partial(look, tx)) for look in LOOKS]

    async def add(numbers: range) -> None:
        for number in numbers:
            await created(tx, MINE, run(f"run_{number}", thread_id=f"thread_{number}", expires_at=None), ())

    connection.execute("BEGIN")
    await created(tx, THEIRS, run("theirs", 999, "theirs", expires_at=None), ())
    await add(range(300))
    short = await costs()
    await add(range(300, 10_000))
    assert await costs() == short
    assert (await tx.runs.claimable(100, 1000, 50))[:3] == ["theirs", "run_0", "run_1"]
    connection.execute("ROLLBACK")
