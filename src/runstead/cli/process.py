"""A server's or worker's process: its event loop, its limit of open files, and the signals that shut it down."""

import asyncio
import gc
import logging
import resource
import signal
from collections.abc import Callable, Coroutine

import uvloop

from runstead.wire.error import RunsteadError

__all__ = ["ShutdownSignals", "keep_imports", "run_process"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_GC_THRESHOLDS = (10_000, 10, 20)
"""Python's default looks for cycles at every 700th new object. A run makes thousands of objects, and few cycles."""


def run_process(main: Coroutine[None, None, None], name: str, log: logging.Logger) -> None:
    """Run `main` to its end on an event loop. `name` is what errors call the process: "server", "worker".

    Every failure is logged and raised as a `RunsteadError`.
    """
    _raise_file_limit(log)
    try:
        uvloop.run(main)
    except RunsteadError:
        raise
    except Exception as error:
        log.critical("the %s failed", name, exc_info=error)
        raise RunsteadError(
            f"The {name} failed; its log shows the cause. After a restart, all runs continue."
        ) from error


def keep_imports() -> None:
    """Exempt the objects that exist now from garbage collection: they live as long as the process.

    To walk over the imported modules holds the event loop for 25 ms, whenever many objects have been created.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


class ShutdownSignals:
    """Handles SIGINT and SIGTERM on the running loop, from its construction on.

    The first signal starts a graceful shutdown. A second one ends the process at once.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._received = False
        self._shut_down: Callable[[], None] | None = None
        self._loop = asyncio.get_running_loop()
        for each in _SIGNALS:
            self._loop.add_signal_handler(each, self._receive, each)

    def on_shutdown(self, shut_down: Callable[[], None]) -> None:
        """Call this on the first signal, or now if a signal was received already."""
        self._shut_down = shut_down
        if self._received:
            shut_down()

    def _receive(self, received: signal.Signals) -> None:
        self._received = True
        for each in _SIGNALS:
            # The second signal may kill the process: everything that was answered is on disk.
            self._loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)
        self._log.info("stopping", extra={"signal": received.name})
        if self._shut_down is not None:
            self._shut_down()


def _raise_file_limit(log: logging.Logger) -> None:
    """Raise the soft limit of open files to the hard limit: every stream is an open file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # some kernels refuse "unlimited"
        log.debug("open files: the limit stays", extra={"limit": soft, "error": error})
    else:
        log.debug("open files: raised the limit", extra={"was": soft, "limit": hard})
