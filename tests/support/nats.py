"""Real NATS servers, alone or three in a cluster, that tests kill, freeze, and restart without their disk."""

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

__all__ = ["NatsCluster", "NatsServer", "nats_broker", "request", "streams_ready", "subscribed"]

PATIENCE = 20.0
"""Seconds for a server to start."""
BINARY = Path(sys.executable).parent / "nats-server"


class NatsServer:
    """Keeps its port when it is restarted. Its files are in `folder`."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder = folder
        self._options = options
        self._port = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the server listens, once it has been started."""
        return f"nats://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start the server. It listens when this returns."""
        ports = self._folder / "ports"
        shutil.rmtree(ports, ignore_errors=True)
        ports.mkdir(parents=True)
        command = [str(BINARY), "-a", "127.0.0.1", "-p", str(self._port), "-js", "-sd", str(self._folder / "data")]
        command += ["--ports_file_dir", str(ports), "-l", str(self._folder / "log"), *self._options]
        self._process = subprocess.Popen(command)
        deadline = monotonic() + PATIENCE
        while not (files := [file.read_text() for file in ports.iterdir()]) or not files[0].endswith("}"):
            assert monotonic() < deadline, (self._folder / "log").read_text()
            assert self._process.poll() is None, (self._folder / "log").read_text()
            sleep(0.005)
        self._port = int(files[0].split("://127.0.0.1:")[1].split('"')[0])

    def kill(self) -> None:
        """End the process at once (`kill -9`)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wipe(self) -> None:
        """Delete everything that the server has written. It must not be running."""
        assert self._process is None
        shutil.rmtree(self._folder / "data", ignore_errors=True)

    def freeze(self) -> None:
        """Stop the process. Its connections stay open and are not answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue the process."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class NatsCluster:
    """Three servers that replicate streams. Any two of them work without the third."""

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
        """Start all servers. They elect their leaders afterwards."""
        for server in self.servers.values():
            server.start()

    def kill(self) -> None:
        """Kill the servers that are running."""
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
    """A started broker. Without a `name` it has streams of its own."""
    broker = NatsBroker(server.url, name=name or next(_names), kept_bytes=1 << 20, silence=silence, replicas=replicas)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


async def subscribed(broker: NatsBroker) -> None:
    """Wait until the server has all subscriptions of this broker."""
    await until(
        lambda: (
            all(subscription.handle for subscription in broker._connection._subscriptions)
            and all(feed._early is None for feed in broker._feeds.values())
        )
    )


async def streams_ready(broker: NatsBroker) -> None:
    """Wait until the stream of offers exists. A broker sends before that if it takes long."""

    async def exists() -> bool:
        return "config" in await request(broker, f"$JS.API.STREAM.INFO.{broker._subjects.offer_stream}")

    await until(exists)


async def request(broker: NatsBroker, subject: str, data: bytes = b"") -> dict[str, Any]:
    """A server's answer to a request, from JSON; empty if there is none within a second, as without a leader."""
    with broker._connection.mailbox() as box, suppress(TimeoutError):
        broker._connection.send(subject, data, box.subject)
        async with within(1):
            answer: dict[str, Any] = json.loads((await box.messages.get()).data or b"{}")
            return answer
    return {}
