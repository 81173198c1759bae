"""The next step of a claimed run, from its journal and its thread. Only history that fits the prompt is read."""

import asyncio
from functools import partial
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from runstead.domain.chat import prompt, truncation
from runstead.domain.model_call import ModelRequest
from runstead.domain.run.budget import Allowance, allowance, counts_prompts
from runstead.domain.run.next_move import OutOfBudget, RunTools, before_call
from runstead.engine.execution.claimed_run import ClaimedRun
from runstead.engine.execution.images import read_images
from runstead.engine.execution.journal import Journal, read_journal
from runstead.engine.execution.toolbox import Toolbox
from runstead.store.port import Newest, Tx

__all__ = ["AskModel", "Next", "load"]

_PAGE = 64
_NOTHING = Newest([], more=False)


class AskModel(Struct, frozen=True):
    """The next call of the model, and its limits."""

    request: ModelRequest
    allowed: Allowance


Next: TypeAlias = AskModel | RunTools | OutOfBudget


async def load(claimed: ClaimedRun, tools: Toolbox) -> Next:
    """The next action. Reads the journal if this worker has not read it, and the history that fits the prompt.

    A long history is read in pages, each in a transaction of its own: other tasks go on in between. While the run is
    active no message of the thread is added or deleted.
    """
    if claimed.is_read and claimed.journal.unfinished:
        return RunTools()
    window = claimed.adapters.model.window(claimed.run.model)

    async def first(tx: Tx) -> tuple[Journal, truncation.History | None, Newest]:
        journal = claimed.journal if claimed.is_read else await read_journal(tx, claimed.row, claimed.journal)
        if journal.unfinished:
            return journal, None, _NOTHING
        await _read_messages(tx, claimed, journal)
        functions = prompt.functions(claimed.run, tools.offers)
        limit = truncation.history_limit(claimed.run, journal.rows, window, journal.messages, functions)
        return journal, truncation.History(claimed.run, limit), await _newest(tx, claimed)

    single = claimed.is_read and not claimed.journal.unread
    journal, history, page = await claimed.read_store(first, single=single)
    claimed.read(journal)
    if history is None:
        return RunTools()
    while history.take(page.messages) and page.more:
        await asyncio.sleep(0)
        page = await claimed.read_store(partial(_newest, claimed=claimed, before=page.messages[-1].id))
    images = await read_images(claimed, history.messages)
    return _next_call(claimed, history, window, tools, images)


def _next_call(
    claimed: ClaimedRun,
    history: truncation.History,
    window: int | None,
    tools: Toolbox,
    images: prompt.Images,
) -> AskModel | OutOfBudget:
    run, journal = claimed.run, claimed.journal
    rows, asked = journal.rows, 0
    if counts_prompts(run):
        functions = prompt.functions(run, tools.offers)
        asked = truncation.fixed(run, rows, journal.messages, functions) + max(history.tokens, 1)
    stop = before_call(run, rows, asked)
    if stop is not None:
        return stop
    allowed = allowance(run, rows, asked, window)
    defaults = claimed.row.chosen_defaults
    request = prompt.build(run, history.messages, rows, journal.messages, tools.offers, defaults, images)
    return AskModel(replace(request, max_completion_tokens=allowed.tokens), allowed)


async def _newest(tx: Tx, claimed: ClaimedRun, before: str | None = None) -> Newest:
    return await tx.messages.newest(claimed.row.project, claimed.run.thread_id, _PAGE, before)


async def _read_messages(tx: Tx, claimed: ClaimedRun, journal: Journal) -> None:
    """Read the messages that the run's finished steps wrote."""
    for message_id in journal.unread:
        message = await tx.messages.get(claimed.row.project, claimed.run.thread_id, message_id)
        if message is not None:
            journal.messages[message.id] = message
