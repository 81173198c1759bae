"""How much of a thread the model is told: its newest messages, whole, as many as were asked for and as fit."""

from collections.abc import Mapping, Sequence

from runstead.domain.chat import prompt, tokens
from runstead.domain.run.budget import LONGEST_ANSWER, completion_left, prompt_left, total_left
from runstead.domain.run.journal import StepRow
from runstead.wire.message import Message
from runstead.wire.run import Run
from runstead.wire.tool import Function

__all__ = ["History", "fixed", "room"]


class History:
    """Reads a thread newest first, page by page, until it is enough.

    Kept are the newest messages that may be told: all, or `last_messages` of them, and as many as fit `room` tokens.
    The newest is kept in any case: without it there would be nothing to answer.
    """

    def __init__(self, run: Run, room: int | None) -> None:
        strategy = run.truncation_strategy
        self._run_id = run.id
        self._most = strategy.last_messages if strategy and strategy.type == "last_messages" else None
        self._room = room
        self._kept: list[Message] = []
        self._full = False
        self.tokens = 0
        """What the kept messages take."""

    def take(self, messages: Sequence[Message]) -> bool:
        """Read the next older messages, newest first. True: give me more."""
        for message in messages:
            if self._full:
                break
            self._consider(message)
        return not self._full

    @property
    def messages(self) -> list[Message]:
        """What the model is told of the thread, oldest first."""
        return self._kept[::-1]

    def _consider(self, message: Message) -> None:
        # What this run wrote is told with its steps. What a failure or a crash cut off was no answer: the run that
        # went on behind it has written it anew.
        if message.status == "in_progress" or message.run_id == self._run_id or _broken_off(message):
            return
        said = prompt.said(message)
        if said is None:
            return
        takes = tokens.of_message(said)
        if self._room is not None and self.tokens + takes > self._room:
            self._full = True
            if self._kept:
                return
        self.tokens += takes
        self._kept.append(message)
        if len(self._kept) == self._most:
            self._full = True


def _broken_off(message: Message) -> bool:
    return message.incomplete_details is not None and message.incomplete_details.reason == "run_failed"


def room(
    run: Run,
    steps: Sequence[StepRow],
    window: int | None,
    written: Mapping[str, Message],
    functions: Sequence[Function],
) -> int | None:
    """How many tokens of history the next call has room for: None without a limit, zero or less if none is left.

    It must fit the model's window beside the answer, what is left of `max_total_tokens` likewise, and what is left of
    `max_prompt_tokens`.
    """
    limits = []
    shared = [size for size in (window, total_left(run, steps)) if size is not None]
    if shared:
        limits.append(min(shared) - _answer(completion_left(run, steps), min(shared)))
    budget = prompt_left(run, steps)
    if budget is not None:
        limits.append(budget)
    return min(limits) - fixed(run, steps, written, functions) if limits else None


def fixed(run: Run, steps: Sequence[StepRow], written: Mapping[str, Message], functions: Sequence[Function]) -> int:
    """The tokens that the next call takes without any history: instructions, functions, and the run's own steps."""
    return (
        tokens.of_messages(prompt.instructions(run))
        + sum(tokens.of_function(function) for function in functions)
        + tokens.of_messages(prompt.own(steps, written).messages)
    )


def _answer(left: int | None, window: int) -> int:
    """The part of the window that is kept for the answer."""
    # Of a large window a quarter would lie idle.
    return min(window // 4, LONGEST_ANSWER) if left is None else min(left, window // 2)
