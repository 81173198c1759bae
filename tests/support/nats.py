"""Real NATS servers, single or as a cluster of three, which tests can kill, freeze and wipe."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from runstead.broker.nats import NatsBroker
from tests.support.waiting import until, within

__all__ = ["NatsCluster", "NatsServer", "asked", "nats_broker", "prepared", "standing"]

PATIENCE = 20.0
BINARY = Path(sys.executable).parent / "nats-server"


class NatsServer:
    """One server. It keeps its port over restarts, and its files in `folder`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._port = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's URL, once it was started."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server, and wait until it listens."""
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
        self._port = int(told[0].split("://127.0.0.1:")[1].split('"')[0])

    def kill(self) -> None:
        """Kill the server by SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Delete the server's data. It must not run."""
        assert self._process is None
        shutil.rmtree(self._folder / "data", ignore_errors=True)

    def freeze(self) -> None:
        """Suspend the process. Its connections stay open."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Resume the process."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class NatsCluster:
    """Three servers that replicate their data. Any two of them work without the third."""

    def __init__(self, folder: Path) -> None:
        routes = [f"nats://127.0.0.1:{port}" for port in _free_ports(3)]
        self.servers = {
            name: NatsServer(
                folder / name,
                *("-n", name, "--cluster_name", "test", "--cluster", route),
                *("--routes", ",".join(other for other in routes if other != route)),
            )
            for name, route in zip(("one", "two", "three"), routes, strict=True)
        }

    @property
    def url(self) -> str:
        """The URLs of all three."""
        return ",".join(server.url for server in self.servers.values())

    def start(self) -> None:
        """Start all servers. They may not have elected a leader when this returns."""
        for server in self.servers.values():
            server.start()

    def kill(self) -> None:
        """Kill the servers that run."""
        for server in self.servers.values():
            server.kill()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as bound:
        sockets = [bound.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


_names = (f"test{number}" for number in count())


@asynccontextmanager
async def nats_broker(
    server: NatsServer | NatsCluster, name: str | None = None, *, silence: float = 5.0, replicas: int = 1
) -> AsyncIterator[NatsBroker]:
    """A started broker. Its streams are its own, unless a `name` is given."""
    broker = NatsBroker(server.url, name=name or next(_names), kept_bytes=1 << 20, silence=silence, replicas=replicas)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


async def standing(broker: NatsBroker) -> None:
    """Wait until the server knows all subscriptions of this broker."""
    await until(
        lambda: (
            all(subscription.handle for subscription in broker._connection._subscriptions)
            and all(topic._early is None for topic in broker._feeds.values())
        )
    )


async def prepared(broker: NatsBroker) -> None:
    """Wait until the stream of offers exists. A broker may start before it does."""

    async def keeps() -> bool:
        return "config" in await asked(broker, f"$JS.API.STREAM.INFO.{broker._subjects.offer_stream}")

    await until(keeps)


async def asked(broker: NatsBroker, subject: str, data: bytes = b"") -> dict[str, Any]:
    """The JSON reply of a server to a request; empty if none replies within a second, for want of a leader."""
    with broker._connection.mailbox() as box, suppress(TimeoutError):
        broker._connection.send(subject, data, box.subject)
        async with within(1):
            answer: dict[str, Any] = json.loads((await box.messages.get()).data or b"{}")
            return answer
    return {}
