"""A proxy before a server that simulates a network partition: no byte passes and no connection is closed.

Bytes that were under way arrive when the partition heals, because TCP would send them again.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree
from threading import Event, Thread
from typing import TypeAlias

from tests.support.nats import NatsServer
from tests.support.postgres import Server

__all__ = ["PartitionProxy", "nats_proxy", "postgres_proxy"]

_Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK = 64 * 1024


class PartitionProxy:
    """Between programs and one server. It runs on a thread of its own, so that no other code can block it."""

    def __init__(self, url: str) -> None:
        self.url = url
        """The URL of the server through this proxy."""
        self.loop: asyncio.AbstractEventLoop
        """The event loop of the proxy's thread."""
        self._connected = asyncio.Event()
        self._connected.set()

    def partition(self) -> None:
        """Let no byte pass from now on."""
        self.loop.call_soon_threadsafe(self._connected.clear)

    def heal(self) -> None:
        """Let bytes pass again."""
        self.loop.call_soon_threadsafe(self._connected.set)

    async def forward(self, client: _Ends, connect: Callable[[], Awaitable[_Ends]]) -> None:
        """Forward one connection of a client, in both directions, until one side closes it."""
        try:
            await self._connected.wait()
            server = await connect()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(client[0], server[1]))
                both.create_task(self._copy(server[0], client[1]))
        except* OSError:
            pass  # both sides are closed
        finally:
            client[1].close()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_CHUNK):
                await self._connected.wait()
                target.write(data)
                await target.drain()
            await self._connected.wait()
        finally:
            target.close()


@contextmanager
def postgres_proxy(server: Server) -> Iterator[PartitionProxy]:
    """A proxy of a server that listens on a Unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="runstead-proxy-"))
    listen_at, server_at = str(folder / ".s.PGSQL.5432"), f"{server.folder}/.s.PGSQL.5432"
    proxy = PartitionProxy(server.url.replace(str(server.folder), str(folder)))
    try:
        with _serve(proxy, lambda connected: asyncio.start_unix_server(connected, listen_at), _unix(server_at)):
            yield proxy
    finally:
        rmtree(folder, ignore_errors=True)


@contextmanager
def nats_proxy(server: NatsServer) -> Iterator[PartitionProxy]:
    """A proxy of a server that has been started."""
    port = int(server.url.rpartition(":")[2])
    proxy = PartitionProxy("")
    with _serve(
        proxy,
        lambda connected: asyncio.start_server(connected, "127.0.0.1", 0),
        lambda: asyncio.open_connection("127.0.0.1", port),
    ) as opened:
        proxy.url = f"nats://127.0.0.1:{opened.sockets[0].getsockname()[1]}"
        yield proxy


def _unix(path: str) -> Callable[[], Awaitable[_Ends]]:
    return lambda: asyncio.open_unix_connection(path)


@contextmanager
def _serve(
    proxy: PartitionProxy,
    listen: Callable[[Callable[..., Awaitable[None]]], Awaitable[asyncio.Server]],
    connect: Callable[[], Awaitable[_Ends]],
) -> Iterator[asyncio.Server]:
    opened: list[asyncio.Server] = []
    ready, ending = Event(), asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the proxy is closed
            await proxy.forward((reader, writer), connect)

    async def serve() -> None:
        proxy.loop = asyncio.get_running_loop()
        opened.append(await listen(connected))
        ready.set()
        await ending.wait()
        opened[0].close()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert ready.wait(10), "the proxy does not listen"
    try:
        yield opened[0]
    finally:
        proxy.loop.call_soon_threadsafe(ending.set)
        thread.join(10)
