"""The next step of a claimed run, from its journal and its thread. Only history that fits the prompt is read."""

from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from runstead.domain.chat import prompt, truncation
from runstead.domain.model_call import ModelRequest
from runstead.domain.run.budget import Allowance, allowance, counts_prompts
from runstead.domain.run.next_move import OutOfBudget, RunTools, before_call
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.engine.execution.journal import Journal, read_journal
from runstead.engine.execution.toolbox import Toolbox
from runstead.store.port import Tx

__all__ = ["AskModel", "Next", "load"]

_PAGE = 64


class AskModel(Struct, frozen=True):
    """The model is asked: the next call, and what it may do."""

    request: ModelRequest
    allowed: Allowance


Next: TypeAlias = AskModel | RunTools | OutOfBudget


async def load(claimed: ClaimedRun, tools: Toolbox) -> Next:
    """The next action. Reads the journal if this worker does not know it yet, and the history that fits the prompt."""
    if claimed.is_read and claimed.journal.unfinished:
        return RunTools()

    async def work(tx: Tx) -> tuple[Journal, Next]:
        journal = claimed.journal if claimed.is_read else await read_journal(tx, claimed.row)
        if journal.unfinished:
            return journal, RunTools()
        return journal, await _next_call(tx, claimed, journal, tools)

    single = claimed.is_read and not claimed.journal.unread
    journal, found = await claimed.read_store(work, single=single)
    claimed.read(journal)
    return found


async def _next_call(tx: Tx, claimed: ClaimedRun, journal: Journal, tools: Toolbox) -> AskModel | OutOfBudget:
    run, rows = claimed.run, journal.rows
    window = claimed.adapters.model.window(run.model)
    functions = prompt.functions(run, tools.offers)
    await _read_messages(tx, claimed, journal)
    history = truncation.History(run, truncation.history_limit(run, rows, window, journal.messages, functions))
    await _read_history(tx, claimed, history)
    asked = 0
    if counts_prompts(run):
        asked = truncation.fixed(run, rows, journal.messages, functions) + max(history.tokens, 1)
    stop = before_call(run, rows, asked)
    if stop is not None:
        return stop
    allowed = allowance(run, rows, asked, window)
    request = prompt.build(run, history.messages, rows, journal.messages, tools.offers)
    return AskModel(replace(request, max_completion_tokens=allowed.tokens), allowed)


async def _read_history(tx: Tx, claimed: ClaimedRun, history: truncation.History) -> None:
    before: str | None = None
    while True:
        messages = await tx.messages.newest(claimed.row.project, claimed.run.thread_id, _PAGE, before)
        if not history.take(messages) or len(messages) < _PAGE:
            return
        before = messages[-1].id


async def _read_messages(tx: Tx, claimed: ClaimedRun, journal: Journal) -> None:
    """Read the messages that the run's finished steps wrote."""
    for message_id in journal.unread:
        message = await tx.messages.get(claimed.row.project, claimed.run.thread_id, message_id)
        if message is not None:
            journal.messages[message.id] = message
