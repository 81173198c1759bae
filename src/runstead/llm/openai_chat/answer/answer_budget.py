"""The memory of all answers that a process is receiving: a total of characters, over all model servers.

Each answer has a limit of its own, which thousands of hostile ones would together make too much. Over the total, an
answer fails as rate limited: its run is delayed, and the model is asked again when others have ended.
"""

import logging
from typing import Final

from runstead.model_server.failure import Failure

__all__ = ["FREE", "AnswerBudget", "AnswerShare", "AnswersFull"]

_log = logging.getLogger("runstead.llm")

FREE: Final = 2**14
"""Characters up to which a part of an answer is not counted. Most answers have fewer, and their number is limited."""
_STEP = 2**16
"""Characters by which a share grows, so that hardly any token needs more."""


class AnswersFull(Failure):
    """The answers that the process is receiving have reached their total. A retry would meet them again."""

    def __init__(self, effect: str, total: int) -> None:
        super().__init__(
            f"{effect}: the answers that this process is receiving have {total} characters together (answers_limit)",
            status=429,
        )
        self.logged = True

    @property
    def rate_limited(self) -> bool:
        return True


class AnswerBudget:
    """At most `total` characters of answers in flight.

    No answer begins when three quarters are used, so that those that have begun can grow and end. The log has a line
    when the total is reached, and one when half of it is free again.
    """

    def __init__(self, total: int = 64 * 2**20) -> None:
        self._total = total
        self._held = 0
        self._full = False

    @property
    def held(self) -> int:
        """The characters that are counted."""
        return self._held

    def check(self) -> None:
        """`AnswersFull` if another answer must not begin."""
        if self._held > self._total * 3 // 4:
            raise self._refused("was not asked")

    def take(self, size: int) -> None:
        """Count `size` more characters. `AnswersFull` if they do not fit, and then none of them is counted."""
        if self._held + size > self._total:
            raise self._refused("was interrupted in its answer")
        self._held += size

    def give_back(self, size: int) -> None:
        """Release characters."""
        self._held -= size
        if self._full and self._held <= self._total // 2:
            self._full = False
            _log.warning("half of answers_limit is free again")

    def _refused(self, effect: str) -> AnswersFull:
        if not self._full:
            self._full = True
            _log.warning(
                "the answers of models have reached answers_limit: runs are delayed until others have ended",
                extra={"answers_limit": self._total, "held": self._held},
            )
        return AnswersFull(effect, self._total)


class AnswerShare:
    """The part of a budget that one answer holds, until it is released."""

    def __init__(self, budget: AnswerBudget) -> None:
        self._budget = budget
        self._held = 0

    def extend(self, granted: int, size: int) -> int:
        """Let a part of the answer grow from the `granted` characters to `size` and some more.

        Returns what is granted then. `FREE` is granted from the beginning. Raises `AnswersFull`.
        """
        more = max(size - granted, _STEP)
        self._budget.take(more)
        self._held += more
        return granted + more

    def release(self) -> None:
        """Give everything back. The answer has ended."""
        held, self._held = self._held, 0
        self._budget.give_back(held)
