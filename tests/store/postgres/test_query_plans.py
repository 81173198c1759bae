"""No statement walks a table, and no page costs more the longer the list: whatever the planner guesses."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from runstead.store.port import Lane, Tx
from runstead.store.postgres import PostgresStore
from runstead.store.postgres.connection import PostgresSession
from runstead.store.postgres.connections import _READING, _WRITING
from runstead.store.postgres.statements import statement
from runstead.store.tables.pagination import HIGHEST, LOWEST
from tests.store.things import MINE, THEIRS, created, message, run
from tests.support.postgres import server

STATEMENTS = [(table, name) for table, statements in _WRITING.items() for name in statements]
# An insert looks for nothing, and a join by the runs of one thread sorts nothing.
_INSERTS = {
    "insert", "append", "register", "lock_project", "lock_key", "put", "mark", "mark_blob", "use", "add",
    "insert_batch", "mark_removal",
}  # fmt: skip
SEARCHES = [(table, name) for table, name in STATEMENTS if name not in _INSERTS]
PAGES = [(table, name) for table, name in STATEMENTS if "page" in name]


@asynccontextmanager
async def planning(store: PostgresStore) -> AsyncIterator[PostgresSession]:
    """A connection with the store's own settings, that plans without looking at values, as it does in the long run."""
    assert store._connections is not None
    async with store._connections.one(Lane.CALL) as connection:
        await connection.session.script("SET plan_cache_mode = force_generic_plan")
        yield connection.session
        await connection.session.script("RESET plan_cache_mode")


@pytest.fixture
async def session() -> AsyncIterator[PostgresSession]:
    """Over tables that stay empty, so that all tests may share them."""
    store = PostgresStore(server().url, schema="empty", connections=1)
    await store.start()
    async with planning(store) as session:
        yield session
    await store.stop()


async def plan(session: PostgresSession, sql: str, how: str = "", *values: object) -> dict[str, Any]:
    text, names = statement(sql)
    given = [f"'{value}'" for value in values] or ["NULL"] * len(names)
    await session.script(f"PREPARE looked_at AS {text}")
    call = f"looked_at({', '.join(given)})" if names else "looked_at"
    row = await session.row(f"EXPLAIN (FORMAT JSON{how}) EXECUTE {call}")
    assert row is not None
    await session.script("DEALLOCATE looked_at")
    [found] = json.loads(row[0])
    top: dict[str, Any] = found["Plan"]
    return top


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


@pytest.mark.parametrize(("table", "name"), SEARCHES)
async def test_a_statement_searches_by_an_index(session: PostgresSession, table: str, name: str) -> None:
    kinds = [node["Node Type"] for node in nodes(await plan(session, _WRITING[table][name]))]
    assert any(kind.startswith("Index") for kind in kinds)
    assert "Seq Scan" not in kinds


@pytest.mark.parametrize(
    ("statement", "index"),
    {
        "assistants.page": "assistants_order",
        "threads.page": "threads_order",
        "messages.page": "messages_order",
        "messages.run_page": "messages_order_of_run",
        "runs.page": "runs_order",
        "steps.page": "steps_order",
        "webhooks.page": "webhooks_order",
        "files.page": "files_order",
        "files.purpose_page": "files_order_of_purpose",
        "vector_stores.page": "vector_stores_order",
        "store_files.page": "vector_store_files_order",
        "store_files.status_page": "vector_store_files_of_status",
    }.items(),
)
@pytest.mark.parametrize("direction", ["up", "down"])
async def test_a_page_begins_and_ends_in_its_index(
    session: PostgresSession, statement: str, index: str, direction: str
) -> None:
    table, name = statement.split(".")
    found = nodes(await plan(session, _WRITING[table][f"{name}_{direction}"]))
    limit, search = [node for node in found if not _looks_for_a_deletion(node)]
    assert limit["Node Type"] == "Limit"
    assert search["Index Name"] == index
    bounds = re.findall(r"\b(?:seq|END|CASE)\b[^<>=]* ([<>]) \$", search["Index Cond"])
    assert sorted(bounds) == ["<", ">"]
    assert search["Scan Direction"] == {"up": "Forward", "down": "Backward"}[direction]


def _looks_for_a_deletion(node: dict[str, Any]) -> bool:
    """Whether the node checks, once, that the thread is not deleted."""
    return node.get("Relation Name") == "deletions" or "One-Time Filter" in node


@pytest.mark.parametrize(
    ("name", "index"),
    {
        "active": "runs_active",
        "owned_by": "runs_held",
        "to_stop": "runs_held",
        "overdue": "runs_deadline",
        "next_deadline": "runs_deadline",
        "has_queued": "runs_queue",
    }.items(),
)
async def test_queries_of_workers_have_their_own_indexes(session: PostgresSession, name: str, index: str) -> None:
    found = list(nodes(await plan(session, _WRITING["runs"][name])))
    assert [node["Index Name"] for node in found if "Index Name" in node] == [index]
    assert "Sort" not in [node["Node Type"] for node in found]


async def test_a_page_of_a_long_thread_reads_a_page(first: PostgresStore) -> None:
    async def fill(tx: Tx) -> None:
        await tx.messages.insert(MINE, [message(f"msg_{number}", number) for number in range(20_000)])

    await first.write(fill)
    async with planning(first) as session:
        for analyzed in (False, True):
            if analyzed:
                await session.script("ANALYZE messages")
            for name, low, high in (("page_up", 10_000, HIGHEST), ("page_down", LOWEST, 10_000)):
                values = ("thread_1", MINE, low, high, 21)
                found = await plan(session, _WRITING["messages"][name], ", ANALYZE, BUFFERS", *values)
                [search] = [node for node in nodes(found) if node.get("Relation Name") == "messages"]
                assert search["Actual Rows"] == 21
                assert found["Shared Hit Blocks"] + found["Shared Read Blocks"] < 60


async def test_a_poll_of_a_long_backlog_reads_no_more_than_it_returns(first: PostgresStore) -> None:
    async def fill(tx: Tx) -> None:
        for number in range(4_000):
            await created(tx, MINE, run(f"run_{number}", thread_id=f"thread_{number}", expires_at=None), ())
        await created(tx, THEIRS, run("theirs", 999, "theirs", expires_at=None), ())

    await first.write(fill)
    async with planning(first) as session:
        for analyzed in (False, True):
            if analyzed:
                await session.script("ANALYZE runs")
            found = await plan(session, _WRITING["runs"]["claimable"], ", ANALYZE, BUFFERS", 1000, 100, 50)
            assert max(node["Actual Rows"] for node in nodes(found)) <= 51
            assert found["Shared Hit Blocks"] + found["Shared Read Blocks"] < 200
    assert (await first.read(lambda tx: tx.runs.claimable(100, 1000, 50)))[:3] == ["run_0", "theirs", "run_1"]


def test_a_transaction_that_only_reads_locks_nothing() -> None:
    held = {(table, name) for table, name in STATEMENTS if "FOR UPDATE" in _WRITING[table][name]}
    assert held == {
        ("threads", "get"),
        ("vector_stores", "get"),
        ("store_files", "claim"),
        ("runs", "get"),
        ("runs", "opening"),
        ("runs", "load"),
        ("runs", "queue_head"),
        ("runs", "queue_successor"),
        ("runs", "queue_tail"),
        ("runs", "next_claimable"),
        ("webhooks", "get"),
        ("webhooks", "claim_deliveries"),
        ("idempotency", "prune"),
        ("deletions", "next"),
        ("deletions", "runs"),
        ("workers", "expired"),
    }
    assert not [sql for statements in _READING.values() for sql in statements.values() if "FOR UPDATE" in sql]
