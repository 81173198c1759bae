"""The targets, which execute the same work: the model without a server, the floor, and Runstead."""

import re
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.fake_model import text
from benchmarks.load import Connection, Reply, connect
from benchmarks.processes import Server
from benchmarks.stream_text import text_of_chunks, text_of_events

SHORT_TOKENS = 20
MODEL = f"tokens-{SHORT_TOKENS}"
"""Writes each token by itself, as models do, but without a pause, so that the rest of a run's time is the server's."""
HELLO = {"role": "user", "content": "Hello"}


class WrongAnswer(Exception):
    """A text differs from the model's. No figure is valid."""


@dataclass
class Target(ABC):
    """A server under load."""

    server: Server

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @property
    def ports(self) -> Sequence[int]:
        """The ports over which connections are distributed."""
        return [self.server.port]

    @abstractmethod
    async def run(self, connection: Connection) -> list[Reply]:
        """One complete run, from the thread to the text: its responses, the stream first."""

    @abstractmethod
    async def prepare(self, connection: Connection) -> str:
        """Create what a stream needs, before its time is measured."""

    @abstractmethod
    async def stream(self, connection: Connection, prepared: str, model: str) -> Reply:
        """Read a stream of the named model to its end; `first` is the time of its first token."""

    def text(self, stream: Reply) -> str:
        return text_of_chunks(stream.body)

    def check(self, stream: Reply, tokens: int) -> int:
        """The number of characters; `WrongAnswer` if the text is not complete and in order."""
        received = self.text(stream)
        if received != text(tokens):
            raise WrongAnswer(
                f"{self.name}: {len(received)} of {len(text(tokens))} characters received: {received[:200]!r}"
            )
        return len(received)

    def check_run(self, replies: list[Reply]) -> None:
        """`WrongAnswer` unless the run has the complete text."""
        self.check(replies[0], SHORT_TOKENS)


class Direct(Target):
    """Without a server: a run is one call of the model."""

    async def run(self, connection: Connection) -> list[Reply]:
        return [await self.stream(connection, "", MODEL)]

    async def prepare(self, connection: Connection) -> str:
        return ""

    async def stream(self, connection: Connection, prepared: str, model: str) -> Reply:
        body = {"model": model, "stream": True, "messages": [HELLO]}
        return await connection.post("/v1/chat/completions", body, mark=b'"content":" ')


class Assistants(Target):
    """A server of the Assistants API: a run is five requests on one connection."""

    assistant = "asst_none"
    mark: bytes

    async def run(self, connection: Connection) -> list[Reply]:
        thread = await self.prepare(connection)
        stream = await self.stream(connection, thread, MODEL)
        run = await connection.get(f"/v1/threads/{thread}/runs/{self.run_id(stream)}")
        return [stream, run, await connection.get(f"/v1/threads/{thread}/messages?limit=1")]

    async def prepare(self, connection: Connection) -> str:
        thread = (await connection.post("/v1/threads", {})).json()["id"]
        await connection.post(f"/v1/threads/{thread}/messages", HELLO)
        return str(thread)

    async def stream(self, connection: Connection, prepared: str, model: str) -> Reply:
        body = {"assistant_id": self.assistant, "model": model, "stream": True}
        return await connection.post(f"/v1/threads/{prepared}/runs", body, mark=self.mark)

    @abstractmethod
    def run_id(self, stream: Reply) -> str:
        """The run of a stream."""

    def check_run(self, replies: list[Reply]) -> None:
        super().check_run(replies)
        run, messages = replies[1].json(), replies[2].json()
        stored = messages["data"][0]["content"][0]["text"]["value"]
        if run["status"] != "completed" or stored != text(SHORT_TOKENS):
            raise WrongAnswer(
                f"{self.name}: the run is {run['status']}, {run.get('last_error')}, its message {stored!r}"
            )


class Floor(Assistants):
    """Relays the model's stream, and stores nothing."""

    mark = b'"content":" '

    def run_id(self, stream: Reply) -> str:
        return "run_floor"


class Runstead(Assistants):
    """Runstead as one process."""

    mark = b"thread.message.delta"

    async def create_assistant(self) -> None:
        connection = await connect(self.server.port)
        self.assistant = (await connection.post("/v1/assistants", {"model": MODEL})).json()["id"]
        connection.close()

    def run_id(self, stream: Reply) -> str:
        found = re.search(rb'"id":\s*"(run_\w+)"', stream.raw)
        if not found:
            raise WrongAnswer(f"the stream names no run: {stream.body[:300]!r}")
        return found[1].decode()

    def text(self, stream: Reply) -> str:
        return text_of_events(stream.body)


@dataclass
class Cluster(Runstead):
    """Runstead as several processes. Connections are distributed over the servers."""

    servers: Sequence[Server] = ()

    @property
    def ports(self) -> Sequence[int]:
        return [server.port for server in self.servers]


@dataclass(frozen=True)
class Targets:
    """All three targets, on one fake model."""

    model: Server
    direct: Direct
    floor: Floor
    runstead: Runstead

    @property
    def all(self) -> tuple[Target, ...]:
        return self.direct, self.floor, self.runstead


@asynccontextmanager
async def start_targets(data: Path, **settings: str) -> AsyncIterator[Targets]:
    with ExitStack() as stack:
        model = stack.enter_context(processes.small_server("fake_model"))
        floor = stack.enter_context(processes.small_server("floor", model.url))
        runstead = Runstead(stack.enter_context(processes.runstead(model, data, **settings)))
        await runstead.create_assistant()
        yield Targets(model, Direct(model), Floor(floor), runstead)
