"""A process that stalls in the middle of a claim locks its project for a moment, and delays no executing run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from runstead.llm.scripted import Gate, say
from runstead.store.postgres.address import Address
from runstead.store.postgres.connection import PostgresSession, connect
from runstead.worker.lease import LEASE
from tests.support.backlog import backlog
from tests.support.postgres import place, server
from tests.support.waiting import until, within
from tests.worker.processes import ended, starter

HOLD = "SELECT pg_advisory_xact_lock(hashtext('runstead.room'), hashtext(:project))"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


@asynccontextmanager
async def standing_still(schema: str, project: str) -> AsyncIterator[PostgresSession]:
    session = await connect(Address(server().url), schema)
    await session.begin("READ WRITE", locking=False)
    await session.row(HOLD, project=project)
    try:
        yield session
    finally:
        session.cut()


async def test_executing_runs_go_on_while_a_project_is_locked(tmp_path: Path) -> None:
    schema, gate = place(tmp_path), Gate()
    admin = await asyncpg.connect(server().url)
    try:
        async with within(20), starter(schema)([[say("Half"), gate]], max_running=100) as here:
            run = await here.start("Hi")
            await gate.reached.wait()
            async with standing_still(schema, "crowded") as stuck:
                await backlog(here, "crowded", 60)

                async def many_wait() -> bool:
                    return bool(await admin.fetchval(WAITING) >= 6)

                await until(many_wait)
                gate.open()
                assert (await ended(here, run)).status == "completed"
                assert not await stuck.closed(0), "it stood still all the time"
    finally:
        await admin.close()


async def test_a_stalled_transaction_ends_before_any_lease_expires(tmp_path: Path) -> None:
    schema = place(tmp_path)
    async with starter(schema)(works=False), standing_still(schema, "crowded") as stuck:
        assert await stuck.closed(LEASE / 2)
