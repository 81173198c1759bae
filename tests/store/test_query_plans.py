"""No statement walks a table, and no page costs more the longer the list."""

import sqlite3
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from runstead.store.port import Tx
from runstead.store.queries import load
from runstead.store.sqlite.connection import SqliteSession, connect
from runstead.store.sqlite.migrations import migrate
from runstead.store.tx import SqlTx
from tests.store.things import MINE, asked, message, run

QUERIES = load("sqlite")
STATEMENTS = [
    (table, name)
    for table, statements in QUERIES.items()
    for name in statements
    if name not in {"hold_project", "ready", "give_up"}
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
    few = ("INDEX runs_held", "INDEX runs_deadline", "INDEX runs_waiting_deadline")
    assert not [step for step in steps if step.startswith("SCAN") and not step.endswith(few)]


@pytest.mark.parametrize(
    ("statement", "index"),
    {
        "assistants.page": "assistants_list (project=? AND (created_at,seq)>(?,?) AND (created_at,seq)<(?,?))",
        "threads.page": "threads_list (project=? AND (created_at,seq)>(?,?) AND (created_at,seq)<(?,?))",
        "messages.page": "messages_list (thread_id=? AND (created_at,seq)>(?,?) AND (created_at,seq)<(?,?))",
        "messages.run_page": "messages_of_run (run_id=? AND (created_at,seq)>(?,?) AND (created_at,seq)<(?,?))",
        "runs.page": "runs_list (thread_id=? AND (created_at,seq)>(?,?) AND (created_at,seq)<(?,?))",
        "steps.page": "steps_list (run_id=? AND (created_at,seq)>(?,?) AND (created_at,seq)<(?,?))",
    }.items(),
)
@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_page_begins_and_ends_in_its_index(
    connection: sqlite3.Connection, statement: str, index: str, direction: str
) -> None:
    table, name = statement.split(".")
    assert plan(connection, QUERIES[table][f"{name}_{direction}"]) == [f"SEARCH {table} USING INDEX {index}"]


@pytest.mark.parametrize(
    ("name", "index"),
    {
        "active": "INDEX runs_active (thread_id=?)",
        "overdue": "INDEX runs_deadline (expires_at<?)",
        "next_deadline": "INDEX runs_deadline (expires_at>?)",
    }.items(),
)
def test_what_workers_look_for_has_an_index_of_its_own(connection: sqlite3.Connection, name: str, index: str) -> None:
    [only] = plan(connection, QUERIES["runs"][name])
    assert only.endswith(f" runs USING {index}")


PAGES: list[Callable[[Tx], Awaitable[object]]] = [
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20)),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20, "asc")),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20, after="middle")),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20, before="middle")),
    lambda tx: tx.messages.page(MINE, "thread_1", asked(20), "run_1"),
    lambda tx: tx.messages.newest(MINE, "thread_1", 20, "middle"),
    lambda tx: tx.runs.insert(MINE, run("run_1"), ()),
    lambda tx: tx.runs.active(MINE, "thread_1"),
]


async def test_a_long_thread_costs_as_much_as_a_short_one(connection: sqlite3.Connection) -> None:
    tx = SqlTx(SqliteSession(connection), QUERIES)
    instructions = 0

    def count() -> int:
        nonlocal instructions
        instructions += 1
        return 0

    async def costs() -> list[int]:
        nonlocal instructions
        found = []
        for page in PAGES:
            instructions = 0
            connection.execute("SAVEPOINT cost")
            connection.set_progress_handler(count, 1)
            await page(tx)
            connection.set_progress_handler(None, 0)
            connection.execute("ROLLBACK TO cost")
            connection.execute("RELEASE cost")
            found.append(instructions)
        return found

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
