"""Reads documents in confined processes, a fixed number at once."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

from runstead.retrieval.documents.frames import ProtocolError
from runstead.retrieval.documents.messages import ParseLimits
from runstead.retrieval.documents.parser_process import FORK_SERVER, ParserProcess
from runstead.retrieval.documents.port import Document
from runstead.retrieval.documents.refusal import Reason, Refused, document_error

__all__ = ["ConfinedReader"]

_log = logging.getLogger(__name__)
_MAX_SUFFIX = 16
_EXPECTED = frozenset(Reason) - {Reason.LIMITS, Reason.FAILURE}
"""Reasons that say something about the file, and nothing about a process."""


class ConfinedReader:
    """A `DocumentReader`: each document has a process of its own, with limits, without files and network.

    `processes` documents are read at once. The processes that the documents' processes are forked from start with
    `start`, and again after they were ended.
    """

    def __init__(self, *, processes: int = 2, limits: ParseLimits | None = None, module: str = FORK_SERVER) -> None:
        self._processes = [ParserProcess(limits or ParseLimits(), module) for _ in range(processes)]
        self._idle: asyncio.LifoQueue[ParserProcess] = asyncio.LifoQueue()
        self._reading: dict[ParserProcess, Event] = {}
        self._threads: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        self._threads = ThreadPoolExecutor(len(self._processes), "documents")
        loop = asyncio.get_running_loop()
        for process in self._processes:
            self._idle.put_nowait(process)
        starts = [loop.run_in_executor(self._threads, process.start) for process in self._processes]
        for result in await asyncio.gather(*starts, return_exceptions=True):
            if isinstance(result, OSError | ProtocolError):
                _log.error("no process for reading documents could be started; reading tries again", exc_info=result)
            elif isinstance(result, BaseException):
                raise result
        if any(process.pid and not process.confined for process in self._processes):
            _log.warning("documents are read without a filter of system calls, which this system does not have")

    async def stop(self) -> None:
        threads, self._threads = self._threads, None
        if threads is None:
            return
        for process, interrupted in self._reading.items():
            process.interrupt(interrupted)
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(threads, process.close) for process in self._processes))
        threads.shutdown()

    async def read(self, path: Path, file_name: str) -> Document:
        process = await self._idle.get()
        try:
            return await self._parse(process, path, _suffix(file_name))
        except Refused as refused:
            level = logging.INFO if refused.reason in _EXPECTED else logging.WARNING
            _log.log(level, "a document was not read", extra={"reason": refused.reason, "cause": refused.detail})
            raise document_error(refused.reason) from refused
        finally:
            self._idle.put_nowait(process)

    async def _parse(self, process: ParserProcess, path: Path, suffix: str) -> Document:
        if self._threads is None:
            raise Refused(Reason.FAILURE, "the reader is stopped")
        interrupted = self._reading[process] = Event()
        loop = asyncio.get_running_loop()
        parsing = loop.run_in_executor(self._threads, process.parse, path, suffix, interrupted)
        try:
            return await asyncio.shield(parsing)
        except asyncio.CancelledError:
            process.interrupt(interrupted)
            await asyncio.wait([parsing])
            parsing.exception()
            raise
        finally:
            del self._reading[process]


def _suffix(file_name: str) -> str:
    """The extension of a name, with its dot, in small letters; empty if it is none that a format has."""
    _, dot, suffix = file_name[-_MAX_SUFFIX:].rpartition(".")
    return f".{suffix.casefold()}" if dot and suffix.isascii() and suffix.isalnum() else ""
