"""A proxy that simulates a network partition: connections stay open, and held bytes arrive when it ends."""

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

__all__ = ["SeverableProxy", "proxy_to_nats", "proxy_to_postgres"]

_Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK = 64 * 1024


class SeverableProxy:
    """A proxy between programs and one server. It runs on a thread of its own, so a blocked test does not stop it."""

    def __init__(self, url: str) -> None:
        self.url = url
        """The URL of the server through the proxy."""
        self.loop: asyncio.AbstractEventLoop
        """The event loop of the proxy."""
        self._whole = asyncio.Event()
        self._whole.set()

    def sever(self) -> None:
        """Stop forwarding."""
        self.loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """Forward again."""
        self.loop.call_soon_threadsafe(self._whole.set)

    async def carry(self, here: _Ends, reach: Callable[[], Awaitable[_Ends]]) -> None:
        """Forward one connection between the client and a new connection to the server."""
        try:
            await self._whole.wait()
            there = await reach()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(here[0], there[1]))
                both.create_task(self._pass_on(there[0], here[1]))
        except* OSError:
            pass  # the connection ends on both sides
        finally:
            here[1].close()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_CHUNK):
                await self._whole.wait()
                target.write(data)
                await target.drain()
            await self._whole.wait()
        finally:
            target.close()


@contextmanager
def proxy_to_postgres(server: Server) -> Iterator[SeverableProxy]:
    """A proxy to a PostgreSQL server, which listens on a socket in a folder."""
    folder = Path(tempfile.mkdtemp(prefix="runstead-proxy-"))
    socket, place = str(folder / ".s.PGSQL.5432"), f"{server.folder}/.s.PGSQL.5432"
    proxy = SeverableProxy(server.url.replace(str(server.folder), str(folder)))
    try:
        with _open(proxy, lambda connected: asyncio.start_unix_server(connected, socket), _unix(place)):
            yield proxy
    finally:
        rmtree(folder, ignore_errors=True)


@contextmanager
def proxy_to_nats(server: NatsServer) -> Iterator[SeverableProxy]:
    """A proxy to a NATS server that was started before, and keeps its port."""
    port = int(server.url.rpartition(":")[2])
    proxy = SeverableProxy("")
    with _open(
        proxy,
        lambda connected: asyncio.start_server(connected, "127.0.0.1", 0),
        lambda: asyncio.open_connection("127.0.0.1", port),
    ) as opened:
        proxy.url = f"nats://127.0.0.1:{opened.sockets[0].getsockname()[1]}"
        yield proxy


def _unix(place: str) -> Callable[[], Awaitable[_Ends]]:
    return lambda: asyncio.open_unix_connection(place)


@contextmanager
def _open(
    proxy: SeverableProxy,
    listen: Callable[[Callable[..., Awaitable[None]]], Awaitable[asyncio.Server]],
    reach: Callable[[], Awaitable[_Ends]],
) -> Iterator[asyncio.Server]:
    opened: list[asyncio.Server] = []
    ready, ending = Event(), asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the proxy is closed
            await proxy.carry((reader, writer), reach)

    async def stand() -> None:
        proxy.loop = asyncio.get_running_loop()
        opened.append(await listen(connected))
        ready.set()
        await ending.wait()
        opened[0].close()

    thread = Thread(target=lambda: asyncio.run(stand()), daemon=True)
    thread.start()
    assert ready.wait(10), "the proxy did not start"
    try:
        yield opened[0]
    finally:
        proxy.loop.call_soon_threadsafe(ending.set)
        thread.join(10)
