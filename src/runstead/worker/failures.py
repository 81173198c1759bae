"""Logs failures of the worker's own loops. An outage of the store has log lines of its own."""

import logging
from collections.abc import Mapping

from runstead.wire.error import Unreachable

__all__ = ["log_failure"]


def log_failure(
    log: logging.Logger, error: Exception, text: str, *values: object, extra: Mapping[str, object] | None = None
) -> None:
    """Log a failure, with its traceback.

    While the store is away, thousands of runs and every loop fail again and again: one line when that begins and one
    when it ends come from the store, and these are for debugging.
    """
    level = logging.DEBUG if _is_outage(error) else logging.ERROR
    log.log(level, text, *values, exc_info=error, extra=extra)


def _is_outage(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):  # of tasks that failed together
        return error.split(Unreachable)[1] is None
    return isinstance(error, Unreachable)
