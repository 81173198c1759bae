"""A real NATS server on a port of its own, that can be killed, frozen, and robbed of its disk."""

import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from time import monotonic, sleep

from runstead.broker.nats import NatsBroker
from tests.support.waiting import until

__all__ = ["NatsServer", "nats_broker", "standing"]

PATIENCE = 20.0
BINARY = Path(sys.executable).parent / "nats-server"


class NatsServer:
    """Keeps its port over restarts. Its files are in `folder`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._port = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, once it was started."""
        return f"nats://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it; it listens when this returns."""
        ports = self._folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir(parents=True)
        command = [str(BINARY), "-a", "127.0.0.1", "-p", str(self._port), "-js", "-sd", str(self._folder / "data")]
        command += ["--ports_file_dir", str(ports), "-l", str(self._folder / "log"), *self._options]
        self._process = subprocess.Popen(command)
        until = monotonic() + PATIENCE
        while not (told := [file.read_text() for file in ports.iterdir()]) or not told[0].endswith("}"):
            assert monotonic() < until, (self._folder / "log").read_text()
            assert self._process.poll() is None, (self._folder / "log").read_text()
            sleep(0.005)
        self._port = int(told[0].split("nats://127.0.0.1:")[1].split('"')[0])

    def kill(self) -> None:
        """End it without a warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Lose everything that it had written; it must not run."""
        assert self._process is None
        shutil.rmtree(self._folder / "data", ignore_errors=True)

    def freeze(self) -> None:
        """Let it answer nobody, though its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


_names = (f"test{number}" for number in count())


@asynccontextmanager
async def nats_broker(
    server: NatsServer, name: str | None = None, *, silence: float = 5.0
) -> AsyncIterator[NatsBroker]:
    """A broker that is started, on streams of its own unless they have a name."""
    broker = NatsBroker(server.url, name=name or next(_names), kept_bytes=1 << 20, silence=silence)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


async def standing(broker: NatsBroker) -> None:
    """Until the server knows of everything that this broker listens to."""
    await until(
        lambda: (
            all(subscription.handle for subscription in broker._connection._subscriptions)
            and all(topic._early is None for topic in broker._topics.values())
        )
    )
