"""A cache of the journals of long runs, while these wait for their client or for a rate limit.

Without the cache, every round of a run with client tools would read all steps of the rounds before. A journal that was
dropped, or was written by another process, is read from the store.
"""

from runstead.engine.execution.journal import Journal

__all__ = ["JournalCache"]

_LONG = 32
"""Steps from which on a journal is kept: shorter ones are read quickly."""
_MAX_SIZE = 32 * 1024 * 1024
"""Bytes of all cached journals, about. Beyond them the oldest entries are dropped."""


class JournalCache:
    """The journals by run."""

    def __init__(self, max_size: int = _MAX_SIZE) -> None:
        self._max_size = max_size
        self._size = 0
        self._journals: dict[str, Journal] = {}

    def keep(self, run_id: str, journal: Journal) -> None:
        """Keep the journal of a run until it is claimed here again, if it is long."""
        self.take(run_id)
        if len(journal.rows) < _LONG:
            return
        self._journals[run_id] = journal
        self._size += journal.size
        while self._size > self._max_size:
            self.take(next(iter(self._journals)))

    def take(self, run_id: str) -> Journal | None:
        """The journal of the run, as it was when it was kept; it is not kept any longer."""
        journal = self._journals.pop(run_id, None)
        if journal is not None:
            self._size -= journal.size
        return journal
