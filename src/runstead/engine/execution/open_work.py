"""What a run has half done, as the store knows it."""

from runstead.domain.run import usage
from runstead.domain.run.transitions import OpenWork
from runstead.store.port import RunRow, Tx
from runstead.wire.run import Usage
from runstead.wire.run_step import MessageCreationDetails

__all__ = ["open_work"]


async def open_work(tx: Tx, row: RunRow) -> tuple[OpenWork, Usage]:
    """The run's open step with its message, and what all its steps took."""
    steps = await tx.steps.of_run(row.run.id)
    step = next((step for step in reversed(steps) if step.status == "in_progress"), None)
    message = None
    if step is not None and isinstance(step.step_details, MessageCreationDetails):
        message_id = step.step_details.message_creation.message_id
        message = await tx.messages.get(row.project, row.run.thread_id, message_id)
    return OpenWork(step, message), usage.total(steps)
