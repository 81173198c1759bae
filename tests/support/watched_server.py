"""A server in a process of its own that reports the longest time for which its event loop stood still.

with watched_server(Config(...)) as server:
    server.longest_hold()                      # forget what was before
    ...                                        # call server.url
    assert server.longest_hold() < 0.05

The time is the processor time of the loop's thread, so other programs on the machine do not count.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import IO, Any

import uvloop

from runstead import bootstrap, config
from runstead.cli import server_process

__all__ = ["WatchedServer", "watched_server"]

_PERIOD = 0.001
"""Seconds between two looks at the clock."""


class WatchedServer:
    """A running server."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self.url = url

    def longest_hold(self) -> float:
        """The longest time in seconds for which the loop was held since the last call."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


@contextmanager
def watched_server(**settings: Any) -> Iterator[WatchedServer]:
    """A server with these settings, which dies with this process."""
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", __name__, json.dumps(settings)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            yield WatchedServer(process, line.removeprefix("Runstead listens on ").partition("/v1")[0])
        finally:
            process.kill()


class _Watch:
    """Looks at the clock of the loop's thread again and again."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._longest = 0.0
        self._last = time.thread_time()
        self._look()

    async def take(self) -> float:
        """The longest time between two looks since the last call."""
        self._measure()
        longest, self._longest = self._longest, 0.0
        return longest

    def _measure(self) -> None:
        now = time.thread_time()
        self._longest = max(self._longest, now - self._last)
        self._last = now

    def _look(self) -> None:
        self._measure()
        self._loop.call_later(_PERIOD, self._look)


def _report(questions: IO[str], watch: _Watch, loop: asyncio.AbstractEventLoop) -> None:
    for _ in questions:
        print(asyncio.run_coroutine_threadsafe(watch.take(), loop).result(), flush=True)


async def _serve(settings: config.Config) -> None:
    watch, loop = _Watch(), asyncio.get_running_loop()
    Thread(target=_report, args=(sys.stdin, watch, loop), daemon=True).start()
    await server_process._serve(settings)


def main() -> None:
    """Serve with the settings that the first argument has as JSON."""
    settings = config.load(None, {}, json.loads(sys.argv[1]))
    asyncio.run(bootstrap.migrate(settings))
    uvloop.run(_serve(settings))


if __name__ == "__main__":
    main()
