"""The three who do the same work: the model called directly, the floor, and Runstead."""

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
from benchmarks.said import text_of_chunks, text_of_events

SHORT = 20
MODEL = f"burst-{SHORT}"
"""Answers a whole run at once: what is left of its time is the server's."""
HELLO = {"role": "user", "content": "Hello"}


class Lost(Exception):
    """An answer was not what the model said: no figure is worth anything."""


@dataclass
class Target(ABC):
    """Someone to press."""

    server: Server

    @property
    def name(self) -> str:
        return type(self).__name__.lower()

    @property
    def ports(self) -> Sequence[int]:
        """Where to connect, in turn."""
        return [self.server.port]

    @abstractmethod
    async def run(self, connection: Connection) -> list[Reply]:
        """One whole run, from nothing to the text: its answers, the stream first."""

    @abstractmethod
    async def prepare(self, connection: Connection) -> str:
        """What a stream stands on: made before its clock starts."""

    @abstractmethod
    async def stream(self, connection: Connection, prepared: str, model: str) -> Reply:
        """A stream of the named model, read to its end; `first` is its first token."""

    def text(self, stream: Reply) -> str:
        return text_of_chunks(stream.body)

    def check(self, stream: Reply, tokens: int) -> int:
        """The characters that came: every one, in order, or `Lost`."""
        came = self.text(stream)
        if came != text(tokens):
            raise Lost(f"{self.name}: {len(came)} of {len(text(tokens))} characters came: {came[:200]!r}")
        return len(came)

    def check_run(self, replies: list[Reply]) -> None:
        """The run said everything it had to."""
        self.check(replies[0], SHORT)


class Direct(Target):
    """No server between: a run is one call of the model."""

    async def run(self, connection: Connection) -> list[Reply]:
        return [await self.stream(connection, "", MODEL)]

    async def prepare(self, connection: Connection) -> str:
        return ""

    async def stream(self, connection: Connection, prepared: str, model: str) -> Reply:
        body = {"model": model, "stream": True, "messages": [HELLO]}
        return await connection.post("/v1/chat/completions", body, mark=b'"content":" ')


class Assistants(Target):
    """A server of the Assistants wire: a run is five requests on one connection."""

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
        """The run that a stream is of."""

    def check_run(self, replies: list[Reply]) -> None:
        super().check_run(replies)
        run, messages = replies[1].json(), replies[2].json()
        kept = messages["data"][0]["content"][0]["text"]["value"]
        if run["status"] != "completed" or kept != text(SHORT):
            raise Lost(f"{self.name}: the run is {run['status']}, {run.get('last_error')}, its message {kept!r}")


class Floor(Assistants):
    """Passes the model's own stream on, and keeps nothing."""

    mark = b'"content":" '

    def run_id(self, stream: Reply) -> str:
        return "run_floor"


class Runstead(Assistants):
    """What this is all about."""

    mark = b"thread.message.delta"

    async def create_assistant(self) -> None:
        connection = await connect(self.server.port)
        self.assistant = (await connection.post("/v1/assistants", {"model": MODEL})).json()["id"]
        connection.close()

    def run_id(self, stream: Reply) -> str:
        found = re.search(rb'"id":\s*"(run_\w+)"', stream.raw)
        if not found:
            raise Lost(f"no run in its own stream: {stream.body[:300]!r}")
        return found[1].decode()

    def text(self, stream: Reply) -> str:
        return text_of_events(stream.body)


@dataclass
class Cluster(Runstead):
    """The same, in several processes. A connection has one of the servers, whichever it is."""

    servers: Sequence[Server] = ()

    @property
    def ports(self) -> Sequence[int]:
        return [server.port for server in self.servers]


@dataclass(frozen=True)
class Stage:
    """All three, on one fake model, freshly started."""

    model: Server
    direct: Direct
    floor: Floor
    runstead: Runstead

    @property
    def all(self) -> tuple[Target, ...]:
        return self.direct, self.floor, self.runstead


@asynccontextmanager
async def stage(data: Path, **settings: str) -> AsyncIterator[Stage]:
    with ExitStack() as stack:
        model = stack.enter_context(processes.part("fake_model"))
        floor = stack.enter_context(processes.part("floor", model.url))
        runstead = Runstead(stack.enter_context(processes.runstead(model, data, **settings)))
        await runstead.create_assistant()
        yield Stage(model, Direct(model), Floor(floor), runstead)
