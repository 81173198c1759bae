"""Truncation: the newest messages of a thread, whole, as many as the strategy asks for and as fit the prompt."""

from collections.abc import Mapping, Sequence

from runstead.domain.chat import prompt, tokens
from runstead.domain.run.budget import LONGEST_ANSWER, completion_left, prompt_left, total_left
from runstead.domain.run.journal import StepRow
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.tool import Function

__all__ = ["MAX_HISTORY", "History", "fixed", "history_limit"]

MAX_HISTORY = 131_072
"""Tokens of history for a model whose window is not configured: what most models read. Without a limit, every call of a
long thread would read, send and pay for all of it.
"""
_MAX_PARTS = 2500
"""Parts of all messages of a history, for any model: empty ones have no tokens, but take time."""


class History:
    """Collects a thread newest first, page by page, until it has enough.

    It keeps the newest messages: all of them, or `last_messages`, and as many as fit `limit` tokens and 2,500 parts.
    The newest one is always kept: without it there would be nothing to answer.
    """

    def __init__(self, run: Run, limit: int) -> None:
        strategy = run.truncation_strategy
        self._run_id = run.id
        self._max_messages = strategy.last_messages if strategy and strategy.type == "last_messages" else None
        self._limit = limit
        self._kept: list[Message] = []
        self._full = False
        self._parts = 0
        self.tokens = 0
        """The tokens of the kept messages."""

    def take(self, messages: Sequence[Message]) -> bool:
        """Add the next older messages, newest first. Whether more are wanted."""
        for message in messages:
            if self._full:
                break
            self._consider(message)
        return not self._full

    @property
    def messages(self) -> list[Message]:
        """The kept messages, oldest first."""
        return self._kept[::-1]

    def _consider(self, message: Message) -> None:
        # The run's own messages are in the prompt as its steps. A message cut by a failure or a crash was no answer:
        # the run has written it again.
        if message.status == "in_progress" or message.run_id == self._run_id or _cut_by_failure(message):
            return
        chat = prompt.history_message(message)
        if chat is None:
            return
        size = tokens.of_message(chat)
        self._parts += len(message.content)
        if self._parts > _MAX_PARTS or self.tokens + size > self._limit:
            self._full = True
            if self._kept:
                return
        self.tokens += size
        self._kept.append(message)
        if len(self._kept) == self._max_messages:
            self._full = True


def _cut_by_failure(message: Message) -> bool:
    return message.incomplete_details is not None and message.incomplete_details.reason == "run_failed"


def history_limit(
    run: Run,
    steps: Sequence[StepRow],
    window: int | None,
    written: Mapping[str, Message],
    functions: Sequence[Function],
) -> int:
    """How many tokens of history fit the next call: zero or less if none are left.

    History and answer share the model's window, and what is left of `max_total_tokens`. The prompt shares what is left
    of `max_prompt_tokens`. Where none of them is known, history has `MAX_HISTORY` tokens.
    """
    limits = []
    shared = [size for size in (window, total_left(run, steps)) if size is not None]
    if shared:
        limits.append(min(shared) - _answer(completion_left(run, steps), min(shared)))
    budget = prompt_left(run, steps)
    if budget is not None:
        limits.append(budget)
    if not limits:
        return MAX_HISTORY
    fits = min(limits) - fixed(run, steps, written, functions)
    return fits if window is not None else min(fits, MAX_HISTORY)


def fixed(run: Run, steps: Sequence[StepRow], written: Mapping[str, Message], functions: Sequence[Function]) -> int:
    """The tokens of the next call without history: instructions, functions, and the run's own steps."""
    return (
        tokens.of_messages(prompt.instructions(run))
        + sum(tokens.of_function(function) for function in functions)
        + prompt.own_turns(steps, written).tokens
    )


def _answer(left: int | None, available: int) -> int:
    """The part of the available tokens that is reserved for the answer. `left` is the rest of its own budget."""
    # A quarter of a large window would be wasted.
    return min(available // 4, LONGEST_ANSWER) if left is None else min(left, available // 2)
