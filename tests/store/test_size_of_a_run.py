"""The size of a run on disk: its settings are stored once, however many tool rounds it has."""

from pathlib import Path

from runstead.store.port import Store
from runstead.store.sqlite import SqliteStore
from tests.support.large_run import large_assistant, large_run, tool_rounds
from tests.support.worlds import world

RUNS = 3
MAX_SIZE = 150 * 1024
"""Bytes of a run with 64 KiB of instructions, 20 tools of 1 KiB and ten tool rounds."""


async def make_runs(store: Store, assistant_id: str | None, runs: int) -> str:
    """Make runs of an assistant, or a new one, and close the store."""
    async with world(tool_rounds(runs), store=store) as here:
        assistant_id = assistant_id or await large_assistant(here)
        for _ in range(runs):
            assert (await large_run(here, assistant_id)).status == "completed"
    return assistant_id


async def test_a_run_of_many_rounds_takes_its_settings_once_on_disk(path: Path) -> None:
    assistant_id = await make_runs(SqliteStore(path), None, 1)
    before = path.stat().st_size
    await make_runs(SqliteStore(path), assistant_id, RUNS)
    assert not path.with_name(f"{path.name}-wal").exists()
    assert (path.stat().st_size - before) / RUNS <= MAX_SIZE
