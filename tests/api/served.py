"""An application served, and a client in front of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from runstead import bootstrap
from runstead.api.app import Application, Settings, create_app
from runstead.domain.access import ALL_SCOPES, Credentials
from runstead.interface.operation import Operations
from runstead.interface.operations import OPERATIONS
from runstead.llm.scripted import Script, ScriptedModel
from runstead.wire.codec.sse import Decoder, Frame
from runstead.wire.event import EventName, Position, RawEvent

__all__ = ["BETA", "Stage", "called", "engine", "frames", "raw", "served"]

BETA = {"OpenAI-Beta": "assistants=v2"}
Method = Callable[..., Any]


class _Server(uvicorn.Server):
    """Leaves signals to the tests."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(
    application: Application, operations: Operations = OPERATIONS, **settings: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application, behind a real server on a free port; it sends the beta header."""
    listening = socket.create_server(("127.0.0.1", 0))
    app = create_app(application, Settings(**settings), operations)
    config = uvicorn.Config(app, http="httptools", ws="none", lifespan="off", log_config=None)
    server = _Server(config)
    host, port = listening.getsockname()
    async with asyncio.TaskGroup() as group:
        group.create_task(server.serve(sockets=[listening]))
        try:
            async with httpx2.AsyncClient(base_url=f"http://{host}:{port}/v1", headers=BETA, timeout=10) as client:
                yield client
        finally:
            server.should_exit = True


@asynccontextmanager
async def called(
    application: Application, operations: Operations = OPERATIONS, **settings: Any
) -> AsyncIterator[httpx2.AsyncClient]:
    """The same without a socket: for what needs no stream."""
    transport = httpx2.ASGITransport(create_app(application, Settings(**settings), operations))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1/v1", headers=BETA) as client:
        yield client


@asynccontextmanager
async def engine(folder: Path, script: Script = ()) -> AsyncIterator[Application]:
    """The real engine over a scripted model."""
    async with bootstrap.embedded(folder / "runstead.db", ScriptedModel(script), 600) as application:
        yield application


class Stage:
    """An application, its caller and the interface in one, with the given methods."""

    scopes = ALL_SCOPES
    key_id = None

    def __init__(self, **methods: Method) -> None:
        self.ready = True
        self.works = {"store": True, "broker": True}
        self.draining = asyncio.Event()
        self.entered: list[Credentials] = []
        for name, method in methods.items():
            setattr(self, name, method)

    async def parts(self) -> Mapping[str, bool]:
        return self.works

    async def enter(self, credentials: Credentials) -> Any:
        self.entered.append(credentials)
        return self

    @property
    def project(self) -> Any:
        return self

    @property
    def administration(self) -> Any:
        return self

    def once(self, asked: object) -> Any:
        return self


def raw(seq: int, delta: int = 0, name: EventName = EventName.RUN_QUEUED, data: bytes = b"{}") -> RawEvent:
    return RawEvent(Position(seq, delta), name, data)


async def frames(response: httpx2.Response) -> AsyncIterator[Frame]:
    """The frames of a stream as they come."""
    decoder = Decoder()
    async for chunk in response.aiter_bytes():
        for frame in decoder.feed(chunk):
            yield frame
