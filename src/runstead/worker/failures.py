"""How failures of the worker's own loops are logged: an outage of the store has its lines already."""

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
    level = logging.DEBUG if isinstance(error, Unreachable) else logging.ERROR
    log.log(level, text, *values, exc_info=error, extra=extra)
