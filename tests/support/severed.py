"""A way to a server that can be severed, as a network does it: nothing comes through and nothing is closed. What is
under way arrives when the way is mended, as TCP would send it again.
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

__all__ = ["Way", "way_to_nats", "way_to_postgres"]

_Ends: TypeAlias = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_CHUNK = 64 * 1024


class Way:
    """Stands between programs and one server. It works on a thread of its own, whoever else blocks."""

    def __init__(self, url: str) -> None:
        self.url = url
        """The server's, by this way."""
        self.loop: asyncio.AbstractEventLoop
        """Where it works."""
        self._whole = asyncio.Event()
        self._whole.set()

    def sever(self) -> None:
        """From here on nothing comes through."""
        self.loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """It does again."""
        self.loop.call_soon_threadsafe(self._whole.set)

    async def carry(self, here: _Ends, reach: Callable[[], Awaitable[_Ends]]) -> None:
        """One connection, from the side of who opened it."""
        try:
            await self._whole.wait()
            there = await reach()
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass_on(here[0], there[1]))
                both.create_task(self._pass_on(there[0], here[1]))
        except* OSError:
            pass  # it ends for both
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
def way_to_postgres(server: Server) -> Iterator[Way]:
    """To a server that listens on a socket in a folder."""
    folder = Path(tempfile.mkdtemp(prefix="runstead-way-"))
    socket, place = str(folder / ".s.PGSQL.5432"), f"{server.folder}/.s.PGSQL.5432"
    way = Way(server.url.replace(str(server.folder), str(folder)))
    try:
        with _open(way, lambda connected: asyncio.start_unix_server(connected, socket), _unix(place)):
            yield way
    finally:
        rmtree(folder, ignore_errors=True)


@contextmanager
def way_to_nats(server: NatsServer) -> Iterator[Way]:
    """To a server that has been started before, and keeps its port."""
    port = int(server.url.rpartition(":")[2])
    way = Way("")
    with _open(
        way,
        lambda connected: asyncio.start_server(connected, "127.0.0.1", 0),
        lambda: asyncio.open_connection("127.0.0.1", port),
    ) as opened:
        way.url = f"nats://127.0.0.1:{opened.sockets[0].getsockname()[1]}"
        yield way


def _unix(place: str) -> Callable[[], Awaitable[_Ends]]:
    return lambda: asyncio.open_unix_connection(place)


@contextmanager
def _open(
    way: Way,
    listen: Callable[[Callable[..., Awaitable[None]]], Awaitable[asyncio.Server]],
    reach: Callable[[], Awaitable[_Ends]],
) -> Iterator[asyncio.Server]:
    opened: list[asyncio.Server] = []
    ready, ending = Event(), asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.CancelledError):  # the way is closed
            await way.carry((reader, writer), reach)

    async def stand() -> None:
        way.loop = asyncio.get_running_loop()
        opened.append(await listen(connected))
        ready.set()
        await ending.wait()
        opened[0].close()

    thread = Thread(target=lambda: asyncio.run(stand()), daemon=True)
    thread.start()
    assert ready.wait(10), "there is no way"
    try:
        yield opened[0]
    finally:
        way.loop.call_soon_threadsafe(ending.set)
        thread.join(10)
