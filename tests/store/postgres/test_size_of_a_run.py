"""The size of a run in tables, with their indexes and large values, before any vacuum."""

from typing import Any

from tests.store.postgres.conftest import Make
from tests.store.test_size_of_a_run import MAX_SIZE, RUNS, make_runs

SIZES = """
SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r'
"""


async def test_a_run_of_many_rounds_takes_its_settings_once(make: Make, admin: Any, schema: str) -> None:
    assistant_id = await make_runs(make(), None, 1)
    before = await admin.fetchval(SIZES, schema)
    await make_runs(make(), assistant_id, RUNS)
    assert (await admin.fetchval(SIZES, schema) - before) / RUNS <= MAX_SIZE
