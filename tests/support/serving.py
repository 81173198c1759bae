"""An application behind a real server on a free port of this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from runstead.api.app import Application, Settings, create_app
from runstead.interface.operation import Operations
from runstead.interface.operations import OPERATIONS

__all__ = ["served_at"]


class _Server(uvicorn.Server):
    """Leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served_at(application: Application, operations: Operations = OPERATIONS) -> AsyncIterator[str]:
    """The URL of a server of this application."""
    # asyncio sets TCP_NODELAY only on a socket whose protocol is named as TCP.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()  # from here on connections wait for the server
    app = create_app(application, Settings(), operations)
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None)
    server = _Server(config)
    host, port = listening.getsockname()
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
