"""Many queued runs, written straight to the store without an offer, as if by other processes."""

from runstead.domain.run import transitions
from runstead.store.port import Tx
from runstead.wire.run import Run, Status
from runstead.wire.thread import Thread
from tests.support.worlds import World

__all__ = ["backlog"]


async def backlog(here: World, project: str, count: int) -> list[Run]:
    """Create `count` queued runs of a project, oldest first, each on its own thread, with the project as model."""
    adapters = here.adapters
    now = adapters.now()
    runs = [
        Run(
            id=adapters.new_id("run"),
            created_at=now,
            thread_id=adapters.new_id("thread"),
            assistant_id="asst_1",
            status=Status.QUEUED,
            expires_at=now + adapters.limits.lifetime,
            model=project,
            instructions=f"{number}",
        )
        for number in range(count)
    ]

    async def work(tx: Tx) -> None:
        for run in runs:
            await tx.threads.insert(project, Thread(id=run.thread_id, created_at=now))
            await tx.runs.create(project, transitions.created(run))

    await adapters.store.write(work)
    return runs
