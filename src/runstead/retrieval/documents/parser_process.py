"""One process that reads documents, seen from the server. Its methods block, so they are called from threads."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Lock
from time import monotonic

import msgspec

from runstead.retrieval.documents.frames import Frames, ProtocolError, read_document
from runstead.retrieval.documents.messages import Ended, Job, ParseLimits, Ready, frame
from runstead.retrieval.documents.port import Document
from runstead.retrieval.documents.refusal import Reason, Refused

__all__ = ["FORK_SERVER", "ParserProcess"]

FORK_SERVER = "runstead.retrieval.documents.fork_server"
_SOURCE = Path(__file__).parents[3]
"""The folder of the package `runstead`."""
_START_SECONDS = 60
_END_SECONDS = 5
_READY = msgspec.msgpack.Decoder(Ready)
_ENDED = msgspec.msgpack.Decoder(Ended)


class ParserProcess:
    """A fork server that is started when it is needed, and again after it was ended.

    One call of `parse` at a time; `interrupt` may be called meanwhile, by any thread.
    """

    def __init__(self, limits: ParseLimits, module: str = FORK_SERVER) -> None:
        self._limits = limits
        self._module = module
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._killed = False
        """The process was killed, and may not have ended yet."""
        self.confined = False
        """Whether system calls are filtered. Known once the process has started."""

    @property
    def pid(self) -> int | None:
        """The number of the process, if it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process, unless it runs, and wait until it is ready. Raises `OSError` and `ProtocolError`."""
        if self._process and not self._killed and self._process.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        with theirs:
            self._control = ours
            process = subprocess.Popen(  # noqa: S603 (our own module)
                [sys.executable, "-s", "-P", "-m", self._module, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={"PYTHONPATH": os.pathsep.join([str(_SOURCE), *filter(None, sys.path)])},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # its forks are killed with it
            )
        with self._lock:
            self._process, self._killed = process, False
        try:
            self.confined = Frames(ours, monotonic() + _START_SECONDS).read(_READY).confined
        except BaseException:
            self.close()
            raise

    def parse(self, path: Path, suffix: str, interrupted: Event) -> Document:
        """The document in a file. Raises `Refused`, whose detail says what happened to the process.

        The event is the one that `interrupt` is called with.
        """
        try:
            self.start()
            if interrupted.is_set():  # before this process, which `interrupt` did not see
                raise Refused(Reason.FAILURE, "interrupted")
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except (OSError, ProtocolError) as error:
            raise Refused(Reason.FAILURE, f"{type(error).__name__}: {error}") from error
        with ExitStack() as opened:
            opened.callback(os.close, file)
            answer, theirs = socket.socketpair()
            opened.enter_context(answer)
            with theirs:
                self._send(Job(suffix=suffix, limits=self._limits), [file, theirs.fileno()])
            deadline = monotonic() + self._limits.wall_seconds
            try:
                document = read_document(Frames(answer, deadline))
            except Refused:
                self._finish()
                raise
            except TimeoutError as error:
                self.close()
                raise Refused(Reason.LIMITS, f"not read in {self._limits.wall_seconds:g} s") from error
            except (OSError, ProtocolError) as error:
                answer.close()  # a process that goes on writing ends now
                raise self._without_answer(str(error)) from error
            self._finish()
            return document

    def interrupt(self, interrupted: Event) -> None:
        """End the process, and with it the reading. The call of `parse` with this event then fails soon."""
        interrupted.set()
        self._kill()

    def close(self) -> None:
        """End the process, and release its resources."""
        self._kill()
        with self._lock:
            if self._process:
                self._process.wait()
            self._process = None
        if self._control:
            self._control.close()
            self._control = None

    def _kill(self) -> None:
        with self._lock:
            self._killed = True
            if self._process:  # not waited for yet, so the number is still its own
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)

    def _send(self, job: Job, descriptors: list[int]) -> None:
        assert self._control
        try:
            socket.send_fds(self._control, [frame(job)[4:]], descriptors)
        except OSError as error:
            self.close()
            raise Refused(Reason.FAILURE, f"the process is gone: {error}") from error

    def _finish(self) -> int | None:
        """Wait until the fork has ended, and give its status. If it does not end, it is killed, and has no status.

        `Refused` if the process that it is a fork of has ended too.
        """
        assert self._control
        try:
            return Frames(self._control, monotonic() + _END_SECONDS).read(_ENDED).status
        except TimeoutError:
            self.close()
            return None
        except (OSError, ProtocolError) as error:
            self.close()
            raise Refused(Reason.FAILURE, f"the process was ended: {error}") from error

    def _without_answer(self, error: str) -> Refused:
        """Why the fork has given no valid answer."""
        status = self._finish()
        if status is None:
            return Refused(Reason.LIMITS, f"did not end: {error}")
        if os.WIFSIGNALED(status):
            return Refused(Reason.LIMITS, f"ended by signal {signal.Signals(os.WTERMSIG(status)).name}: {error}")
        return Refused(Reason.LIMITS, f"ended with {os.waitstatus_to_exitcode(status)}: {error}")
