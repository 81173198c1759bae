"""What the next model call of a run needs to know, read from the store: no more of the thread than will be told."""

from msgspec import Struct
from msgspec.structs import replace

from runstead.domain.chat import prompt, truncation
from runstead.domain.model_call import ModelRequest
from runstead.domain.run import usage
from runstead.domain.run.budget import Allowance, CountedBudget, allowance, counts_prompts
from runstead.domain.run.next_move import before_call
from runstead.engine.adapters import Adapters
from runstead.store.port import RunRow, Tx
from runstead.wire.message import Message
from runstead.wire.run import Run, Usage
from runstead.wire.run_step import MessageCreationDetails, RunStep

__all__ = ["Ready", "Stop", "load"]

_PAGE = 64


class Ready(Struct, frozen=True):
    """The next call, what it may do, and what the run's steps took so far."""

    request: ModelRequest
    allowed: Allowance
    spent: Usage


class Stop(Struct, frozen=True):
    """A budget forbids the next call."""

    reason: CountedBudget
    spent: Usage


async def load(adapters: Adapters, row: RunRow) -> Ready | Stop:
    """Read the run's own steps, and the thread's history as far as it fits."""
    run, project = row.run, row.project

    async def work(tx: Tx) -> Ready | Stop:
        steps = await tx.steps.of_run(run.id)
        written = await _written(tx, project, run, steps)
        spent = usage.total(steps)
        window = adapters.model.window(run.model)
        history = truncation.History(run, truncation.room(run, steps, window, written))
        await _read(tx, project, run.thread_id, history)
        asked = truncation.fixed(run, steps, written) + max(history.tokens, 1) if counts_prompts(run) else 0
        stop = before_call(run, steps, asked)
        if stop is not None:
            return Stop(stop.reason, spent)
        allowed = allowance(run, steps, asked, window)
        request = prompt.build(run, history.messages, steps, written)
        return Ready(replace(request, max_completion_tokens=allowed.tokens), allowed, spent)

    return await adapters.store.read(work)


async def _read(tx: Tx, project: str, thread_id: str, history: truncation.History) -> None:
    before: str | None = None
    while True:
        messages = await tx.messages.newest(project, thread_id, _PAGE, before)
        if not history.take(messages) or len(messages) < _PAGE:
            return
        before = messages[-1].id


async def _written(tx: Tx, project: str, run: Run, steps: list[RunStep]) -> dict[str, Message]:
    """The messages that the run's finished steps wrote, by id."""
    written: dict[str, Message] = {}
    for step in steps:
        if step.status == "completed" and isinstance(step.step_details, MessageCreationDetails):
            message = await tx.messages.get(project, run.thread_id, step.step_details.message_creation.message_id)
            if message is not None:
                written[message.id] = message
    return written
