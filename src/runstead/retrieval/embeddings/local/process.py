"""A child process with the embedded model: started when it is first needed, and again after its death."""

import asyncio
import logging
import os
import signal
import sys

import numpy as np

from runstead.retrieval.embeddings.local.frames import DIMENSION, LENGTH, MAX_FRAME, Length, encode_texts, framed
from runstead.retrieval.embeddings.port import EmbeddingError, Vectors

__all__ = ["ModelProcess"]

_log = logging.getLogger("runstead.embeddings")

_ATTEMPTS = 2
_TIMEOUT = 120.0
"""Seconds for one batch, with the loading of the model. A batch takes well under a second of processor time."""
_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""The variables that the process inherits from its parent: no keys."""
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class ModelProcess:
    """Embeds one batch after the other, in the order in which they were given."""

    def __init__(self, name: str, *, niceness: int, threads: int = 1) -> None:
        self.name = name
        self.starts = 0
        """How often a process was started."""
        self._niceness = niceness
        self._threads = threads
        self._turn = asyncio.Lock()
        self._exchange: asyncio.Task[Vectors] | None = None
        """The latest request and its answer."""
        self._process: asyncio.subprocess.Process | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The process id; None while no process runs."""
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def embed(self, texts: list[str]) -> Vectors:
        """The vectors of one batch. Raises `EmbeddingError`."""
        request = framed(encode_texts(texts))
        async with self._turn:
            # The answer to a call that was cancelled is read too, before the next request is sent.
            if self._exchange is not None:
                await asyncio.wait([self._exchange])
            self._exchange = asyncio.get_running_loop().create_task(self._answered(request, len(texts)))
            self._exchange.add_done_callback(_retrieved)
            return await asyncio.shield(self._exchange)

    async def stop(self) -> None:
        """End the process. A batch in it fails."""
        self._closed = True
        await self._kill()
        if self._exchange is not None:
            await asyncio.wait([self._exchange])

    async def _answered(self, request: bytes, count: int) -> Vectors:
        """The answer to a request. A death of the process is followed by one more attempt, in a new one."""
        reason = ""
        for _ in range(_ATTEMPTS):
            try:
                return await self._send(request, count)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                reason = await self._ended(error)
            self._check_open()
            _log.warning("The process of the embedding model %s", reason, extra={"queue": self.name})
        raise EmbeddingError(f"The process of the embedding model {reason} ({_ATTEMPTS} attempts).")

    async def _send(self, request: bytes, count: int) -> Vectors:
        """Send a request, and read its answer."""
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        async with asyncio.timeout(_TIMEOUT):
            process.stdin.write(request)
            await process.stdin.drain()
            (length,) = Length.unpack(await process.stdout.readexactly(LENGTH))
            if length != count * DIMENSION * 4 or length > MAX_FRAME:
                raise ValueError("gave an answer of the wrong size")
            data = await process.stdout.readexactly(length)
        return np.frombuffer(data, dtype=np.float32).reshape(count, DIMENSION)

    async def _running(self) -> asyncio.subprocess.Process:
        self._check_open()
        if self.pid is None or self._process is None:
            self.starts += 1
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "runstead.retrieval.embeddings.local.child",
                str(self._niceness), str(self._threads),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=_environment(self._threads),
            )  # fmt: skip
            if self._closed:  # in the meantime
                await self._kill()
                self._check_open()
        return self._process

    def _check_open(self) -> None:
        if self._closed:
            raise EmbeddingError("The embedded embedding model was stopped.")

    async def _ended(self, error: Exception) -> str:
        """Why an exchange failed, once the process has ended."""
        code = await self._kill()
        if isinstance(error, TimeoutError):
            return f"did not answer within {_TIMEOUT:g} s"
        if isinstance(error, ValueError):
            return str(error)
        if code is not None and code < 0:
            return f"was ended by the signal {signal.Signals(-code).name}"
        return f"ended with status {code}"

    async def _kill(self) -> int | None:
        """End the process. Its status is that of a death before, if there was one."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.stdin is not None:
            process.stdin.close()
        try:
            # A process that has died is not yet known to have.
            return await asyncio.wait_for(process.wait(), 0.05)
        except TimeoutError:
            process.kill()
            return await process.wait()


def _environment(threads: int) -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return kept | dict.fromkeys(_THREADS, str(threads))


def _retrieved(exchange: "asyncio.Task[Vectors]") -> None:
    """Mark the error as seen: the caller may have been cancelled."""
    if not exchange.cancelled():
        exchange.exception()
