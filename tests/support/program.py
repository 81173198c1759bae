"""A `runstead` command in a process of its own, which dies with the tests' process."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Thread
from typing import IO, NamedTuple

from tests.support.waiting import PATIENCE

__all__ = ["Clocks", "Program"]

_starter = ThreadPoolExecutor(1, "starter")
"""Starts all programs. The kernel kills a child when the thread that started it ends, and this one never ends early."""
_OURS = ("RUNSTEAD_", "OPENAI_")
"""Prefixes of a developer's own settings, which programs do not inherit."""


class Clocks(NamedTuple):
    """Seconds that a process's clocks show beyond the right time."""

    machine: float
    server: float = 0.0
    """The same of what the process reads of the database server's clock."""


class Program:
    """A command. It is started by the constructor, and ready after `ready()`."""

    def __init__(self, *arguments: str, clocks: Clocks | None = None, **settings: str) -> None:
        """`settings` are passed as environment variables: `lease="2"`. With `clocks`, its clocks are wrong."""
        module = ["runstead"] if clocks is None else ["tests.support.skewed", str(clocks.machine), str(clocks.server)]
        command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", *module, *arguments]
        self._log = list[str]()
        self._lines: Queue[str] = Queue()
        self.process = _starter.submit(_start, command, _environment(settings)).result()
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._stdout: IO[str] = self.process.stdout
        self._reading = Thread(target=self._read, args=(self.process.stderr,), daemon=True)
        self._reading.start()
        self.line = ""
        """The line that the program prints when it is ready."""

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def log(self) -> str:
        """The log so far."""
        return "".join(self._log)

    @property
    def url(self) -> str:
        """The URL of a server that is ready."""
        address = self.line.removeprefix("Runstead listens on ").partition("/v1")[0]
        assert address.startswith("http"), f"it said {self.line!r}\n{self.log}"
        return address

    def ready(self) -> None:
        """Wait until the program prints its line. Fails with the log if the program ends first."""
        if not self.line:
            self.line = self._stdout.readline()
            if not self.line:
                self.process.wait(PATIENCE)
                self._reading.join(PATIENCE)
                raise AssertionError(f"it ended with {self.process.returncode} before it was ready:\n{self.log}")

    def wait_for_log(self, words: str) -> str:
        """Wait until a line of the log contains these words; returns the line."""
        while words not in (line := self._lines.get(timeout=PATIENCE)):
            pass
        return line

    def kill(self) -> None:
        """Kill the program by SIGKILL, frozen or not."""
        self.process.kill()
        self.process.wait(PATIENCE)

    def freeze(self) -> None:
        """Suspend the process. Its connections stay open."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume the process."""
        self.process.send_signal(signal.SIGCONT)

    def set_clock(self) -> None:
        """Set the wrong clock of the machine: it jumps to the other side of the right time."""
        self.process.send_signal(signal.SIGUSR1)

    def fill_disk(self) -> None:
        """From now on every write of the process to a file fails, as on a full disk."""
        self._limit_files(1)

    def free_disk(self) -> None:
        """There is room again."""
        self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, size: int) -> None:
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def terminate(self) -> None:
        """Send SIGTERM, and do not wait."""
        self.process.terminate()

    def stop(self) -> int:
        """Send SIGTERM, and wait; returns the exit code."""
        self.process.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait for the program's end; returns the exit code."""
        code = self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        return code

    def close(self) -> None:
        """Kill the program if it runs, and close its pipes."""
        self.kill()
        self._reading.join(PATIENCE)
        self._stdout.close()

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self._log.append(line)
                self._lines.put(line)


def _start(command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return plain | {f"RUNSTEAD_{name.upper()}": value for name, value in settings.items()}
