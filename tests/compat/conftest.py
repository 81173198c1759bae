"""A real server on the loopback address, and the vendor's own client, unmodified, talking to it."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from openai import AsyncOpenAI, OpenAI
from openai.types.beta import Assistant, Thread
from openai.types.beta.function_tool_param import FunctionToolParam

from runstead import bootstrap
from runstead.api.app import create_app
from runstead.llm.port import ChatModel
from tests.compat.script import Script

HERE = Path(__file__).parent
WEATHER: FunctionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The client warns that its vendor has given these calls up. That is why we are here."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:(The Assistants API is )?deprecated:DeprecationWarning"))


class _Server(uvicorn.Server):
    """A server that stops at once when it is told to, not with its next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        await self.stopping.wait()


@contextmanager
def serve(database: Path, model: ChatModel, lifetime: int) -> Iterator[str]:
    """The server over a database, on a thread of its own; gives the API's address."""
    # Only of a socket that says it is TCP, asyncio turns off the delay of small writes.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    listening.setblocking(False)
    started: list[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = []
    ready = threading.Event()

    async def run() -> None:
        async with bootstrap.embedded(database, model, lifetime, allow_private_webhooks=True) as application:
            config = uvicorn.Config(
                create_app(application), lifespan="off", log_config=None, timeout_graceful_shutdown=5
            )
            server = _Server(config)

            def stop() -> None:
                application.draining.set()
                server.stopping.set()

            started.append((asyncio.get_running_loop(), stop))
            ready.set()
            await server.serve(sockets=[listening])

    thread = threading.Thread(target=asyncio.run, args=(run(),), name="server", daemon=True)
    thread.start()
    assert ready.wait(20)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        [(loop, stop)] = started
        loop.call_soon_threadsafe(stop)
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def model() -> Script:
    """What the model will answer."""
    return Script()


@pytest.fixture
def lifetime() -> int:
    """Seconds that a run lives."""
    return 600


@pytest.fixture
def server(tmp_path: Path, model: Script, lifetime: int) -> Iterator[str]:
    """The API's address."""
    with serve(tmp_path / "runstead.db", model.model, lifetime) as url:
        yield url


@pytest.fixture
def client(server: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=server, api_key="any", max_retries=0, timeout=20) as client:
        yield client


@pytest.fixture
async def async_client(server: str) -> AsyncIterator[AsyncOpenAI]:
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
