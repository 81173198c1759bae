"""A server on the loopback address, and the official client, unmodified, as its client."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import uvicorn
from openai import AsyncOpenAI, OpenAI
from openai.types.beta import Assistant, Thread
from openai.types.beta.function_tool_param import FunctionToolParam
from starlette.types import ASGIApp, Receive, Scope, Send

from runstead import bootstrap
from runstead.api.app import Settings, create_app
from runstead.llm.port import ChatModel
from runstead.worker.application import Application, run
from tests.compat.script import Script
from tests.support.clock import ManualClock
from tests.support.worlds import adapters_of

HERE = Path(__file__).parent
WEATHER: FunctionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The official client marks all of these calls as deprecated. Ignore its warnings."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning"))


Start: TypeAlias = Callable[[], AbstractAsyncContextManager[Application]]
"""Starts an application of its own for a test."""


class Server:
    """An HTTP server in a thread. It serves one application after the other, because a start and a stop cost 0.1 s."""

    def __init__(self) -> None:
        # asyncio sets TCP_NODELAY only on a socket whose protocol is TCP by name.
        self._listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._listening.bind(("127.0.0.1", 0))
        self._loop = asyncio.new_event_loop()
        self._app: ASGIApp | None = None
        self._requests: set[asyncio.Task[None]] = set()
        config = uvicorn.Config(
            self._serve,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=5,
            timeout_keep_alive=600,
        )
        self._server = uvicorn.Server(config)

    @contextmanager
    def running(self) -> Iterator["Server"]:
        """Serve on a thread of its own."""
        serving = self._server.serve(sockets=[self._listening])
        thread = threading.Thread(target=self._loop.run_until_complete, args=(serving,), name="server", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()
            self._loop.close()

    @contextmanager
    def serving(self, start: Start, settings: Settings | None = None) -> Iterator[str]:
        """Serve an application. Yields the address of its API."""
        ready: Future[asyncio.Event] = Future()
        running = asyncio.run_coroutine_threadsafe(self._run(start, settings, ready), self._loop)
        stop = ready.result(20)
        try:
            yield f"http://127.0.0.1:{self._listening.getsockname()[1]}/v1"
        finally:
            self._loop.call_soon_threadsafe(stop.set)
            running.result(20)

    def call(self, awaited: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the server's event loop."""
        asyncio.run_coroutine_threadsafe(awaited, self._loop).result(10)

    async def _run(self, start: Start, settings: Settings | None, ready: "Future[asyncio.Event]") -> None:
        stop = asyncio.Event()
        try:
            async with start() as application:
                self._app = create_app(application, settings)
                ready.set_result(stop)
                await stop.wait()
                application.draining.set()
                if self._requests:
                    await asyncio.wait(self._requests, timeout=5)
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        assert self._app is not None
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        await self._app(scope, receive, send)


def embedded(database: Path, model: ChatModel, lifetime: int = 600) -> Start:
    """Starts the engine over a database, with the adapters that `runstead.open` chooses."""
    return lambda: bootstrap.embedded(database, model, lifetime, allow_private_webhooks=True)


def with_clock(database: Path, model: ChatModel, clock: ManualClock) -> Start:
    """Starts the engine over a database, with a clock that the test advances."""
    return lambda: run(adapters_of(model=model, path=database, clock=clock))


@pytest.fixture(scope="session")
def http() -> Iterator[Server]:
    """The HTTP server of all tests in this process."""
    with Server().running() as server:
        yield server


@pytest.fixture
def model() -> Script:
    """The script of the model."""
    return Script()


@pytest.fixture
def start(tmp_path: Path, model: Script) -> Start:
    """How the application of a test is started."""
    return embedded(tmp_path / "runstead.db", model.model)


@pytest.fixture
def server(http: Server, start: Start) -> Iterator[str]:
    """The address of the API, over a database of its own."""
    with http.serving(start) as url:
        yield url


@pytest.fixture(scope="session")
def official() -> Iterator[OpenAI]:
    """One client for all tests, because making one costs 40 ms. It connects with the first call."""
    with OpenAI(base_url="http://127.0.0.1", api_key="any", max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
def client(official: OpenAI, server: str) -> OpenAI:
    """The official client, sync."""
    return official.with_options(base_url=server)


@pytest.fixture
async def async_client(server: str) -> AsyncIterator[AsyncOpenAI]:
    """The official client, async."""
    async with AsyncOpenAI(base_url=server, api_key="any", max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
def assistant(client: OpenAI) -> Assistant:
    """An assistant without tools."""
    return client.beta.assistants.create(model="gpt-4o", instructions="Be brief.")


@pytest.fixture
def forecaster(client: OpenAI) -> Assistant:
    """An assistant with a function."""
    return client.beta.assistants.create(model="gpt-4o", tools=[WEATHER])


@pytest.fixture
def thread(client: OpenAI) -> Thread:
    """A thread on which the user has said "Hi"."""
    return client.beta.threads.create(messages=[{"role": "user", "content": "Hi"}])
