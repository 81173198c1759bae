"""The demo's server: a `runstead serve` process that is started, killed, and restarted on the same data."""

import os
import signal
import subprocess
import sys
from collections import deque
from threading import Thread
from typing import IO

from runstead.config import Config
from runstead.wire.error import RunsteadError

__all__ = ["DemoServer"]

_PATIENCE = 30.0
"""Seconds to wait for the process to end."""
_OWN_SETTINGS = {f"RUNSTEAD_{name.upper()}" for name in Config.__struct_fields__ if name != "model_key"}
"""Environment variables of the user's own server, which the demo ignores."""


class DemoServer:
    """`runstead serve` on a folder. It keeps its port over restarts."""

    def __init__(self, data: str, arguments: tuple[str, ...] = ()) -> None:
        self._data = data
        self._arguments = arguments
        self._port = 0
        self._process: subprocess.Popen[str] | None = None
        self._log: deque[str] = deque(maxlen=20)

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The id of the current process."""
        return self._running.pid

    def start(self) -> None:
        """Start the server, and wait until it listens."""
        where = ["--data", self._data, "--host", "127.0.0.1", "--port", str(self._port)]
        self._process = subprocess.Popen(  # noqa: S603  our own program, our own arguments
            [sys.executable, "-m", "runstead", "serve", *where, *self._arguments],
            env={name: value for name, value in os.environ.items() if name not in _OWN_SETTINGS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        Thread(target=self._keep_log, args=(self._process.stderr,), daemon=True).start()
        line = self._process.stdout.readline()
        if "listens on" not in line:
            self.stop()
            raise RunsteadError("The server did not start:\n" + "".join(self._log))
        self._port = int(line.split("/v1")[0].rsplit(":", 1)[1])

    def kill(self) -> None:
        """Kill the server by SIGKILL, without a graceful shutdown."""
        self._running.kill()
        self._ended()

    def stop(self) -> None:
        """Stop the server by SIGTERM, as an operator would. It is killed if it does not end in time."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._ended()

    def _ended(self) -> None:
        self._running.wait(_PATIENCE)
        if self._running.stdout is not None:
            self._running.stdout.close()

    def _keep_log(self, lines: IO[str]) -> None:
        with lines:
            self._log.extend(lines)

    @property
    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            raise RunsteadError("The server is not started.")
        return self._process
