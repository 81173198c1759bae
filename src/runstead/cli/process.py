"""A process that lives until a signal ends it, or a failure that it cannot live with."""

import logging
import resource
from collections.abc import Coroutine

import uvloop

from runstead.wire.error import RunsteadError

__all__ = ["live"]


def live(life: Coroutine[None, None, None], name: str, log: logging.Logger) -> None:
    """Live it. `RunsteadError` says why it ended otherwise than it should; `name` is who ended."""
    _allow_many_files(log)
    try:
        uvloop.run(life)
    except RunsteadError:
        raise
    except Exception as error:
        log.critical("the %s failed", name, exc_info=error)
        raise RunsteadError(
            f"The {name} failed; its log says of what. The next start goes on with all runs."
        ) from error


def _allow_many_files(log: logging.Logger) -> None:
    """Every stream is an open file: take as many as the system gives, not what it gives to those who do not ask."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # "unlimited" is more than some kernels give
        log.debug("open files: the limit stays", extra={"limit": soft, "error": error})
    else:
        log.debug("open files: raised the limit", extra={"was": soft, "limit": hard})
