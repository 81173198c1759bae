"""A proxy between a client and a server that loses requests or answers when the test says so."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

__all__ = ["LossyProxy", "lossy_proxy"]


class LossyProxy:
    """Forwards bytes, on a thread of its own. To lose a request or an answer, it aborts the connection."""

    def __init__(self, server: str) -> None:
        self._server = urlsplit(server)
        self._losses: deque[str] = deque()
        self.url = ""
        self.at_loss: Callable[[], None] = lambda: None
        """Called whenever a request or an answer is lost."""

    def lose_answers(self, times: int = 1) -> None:
        """Lose the answers to the next requests. The server does execute them."""
        self._losses.extend(["answer"] * times)

    def lose_request(self) -> None:
        """Lose the next request before it reaches the server."""
        self._losses.append("request")

    @property
    def lost_all(self) -> bool:
        """Whether everything that was to be lost is lost."""
        return not self._losses

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        """Serve until `stop` is set."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{self._server.path}"
        ready.set()
        await stop.wait()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        try:
            theirs, to_them = await asyncio.open_connection(self._server.hostname, self._server.port)
            writers.append(to_them)
            async with asyncio.TaskGroup() as both:
                there = both.create_task(self._pass_on("request", reader, to_them))
                back = both.create_task(self._pass_on("answer", theirs, writer))
                there.add_done_callback(lambda _: back.cancel())
                back.add_done_callback(lambda _: there.cancel())
        except OSError:
            pass  # the server is down: the client's connection is aborted too
        finally:
            for each in writers:
                each.transport.abort()

    async def _pass_on(self, what: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward until a side closes, or something is lost."""
        try:
            while data := await reader.read(65536):
                if self._losses and self._losses[0] == what:
                    self.at_loss()
                    self._losses.popleft()
                    return
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass


@contextmanager
def lossy_proxy(server: str) -> Iterator[LossyProxy]:
    """A proxy for the server at this URL."""
    proxy, ready, started = (
        LossyProxy(server),
        threading.Event(),
        list[tuple[asyncio.AbstractEventLoop, asyncio.Event]](),
    )

    async def serve() -> None:
        stop = asyncio.Event()
        started.append((asyncio.get_running_loop(), stop))
        await proxy.serve(ready, stop)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="proxy", daemon=True)
    thread.start()
    assert ready.wait(10)
    [(loop, stop)] = started
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
