"""`runstead` commands in processes of their own, with their output and logs."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO, Self

import pytest

from runstead import MessageRequest, Run, RunRequest, ThreadRequest, connect
from runstead.client import Client
from runstead.wire.assistant import AssistantRequest
from tests.support.waiting import PATIENCE

SLOW = 'words_per_second = 5\n[[answer]]\nsay = "Once upon a time there was a very long story that had no end."\n'
QUICK = '[[answer]]\nsay = "The end."\n'


class Served:
    """A `runstead serve` process with these arguments. It listens once this is constructed."""

    def __init__(self, *arguments: str, program: str = "from runstead.__main__ import main; main()") -> None:
        command = [sys.executable, "-c", program, "serve", "--port", "0", *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._log = list[str]()
        self._lines: Queue[str] = Queue()
        self._reading = Thread(target=self._read, args=(self.process.stderr,))
        self._reading.start()
        self.line = self.process.stdout.readline()
        self.url = self.line.split("/v1")[0].removeprefix("Runstead listens on ")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait_for_log(self, words: str) -> None:
        """Wait until a line of the log contains these words."""
        while words not in self._lines.get(timeout=PATIENCE):
            pass

    def ended(self) -> tuple[int, str]:
        """Wait for the process; its exit code and its log."""
        code = self.process.wait(PATIENCE)
        self._reading.join(PATIENCE)
        return code, "".join(self._log)

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            self._log.append(line)
            self._lines.put(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.ended()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a server with a script, always over the same folder. It is killed at the end of the test."""
    with ExitStack() as ending:

        def start(script: str = QUICK, *arguments: str, **how: str) -> Served:
            file = tmp_path / "script.toml"
            file.write_text(script)
            data = str(tmp_path / "data")
            return ending.enter_context(Served("--data", data, "--script", str(file), *arguments, **how))

        yield start


@pytest.fixture
def runstead() -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs a command to its end."""

    def run(*arguments: str, program: str = "", **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *(["-c", program] if program else ["-m", "runstead"]), *arguments],
            capture_output=True,
            text=True,
            timeout=100,
            env=os.environ | environment,
            check=False,
        )

    return run


@pytest.fixture
def client_of() -> Iterator[Callable[[Served], Client]]:
    """Makes a client of a server."""
    with ExitStack() as closing:
        yield lambda served: closing.enter_context(connect(served.url, max_retries=0))


def begin(client: Client) -> Run:
    """Create a run on a new thread."""
    assistant = client.create_assistant(AssistantRequest(model="any"))
    thread = client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content="Hi")]))
    return client.create_run(thread.id, RunRequest(assistant_id=assistant.id))
