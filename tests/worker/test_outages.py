"""A store that is away: no answer is lost, no model call is repeated, and a worker can still be stopped."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest

import runstead
from runstead.engine.adapters import SystemClock
from runstead.llm.scripted import Gate, ScriptedModel, Turn, call, say
from runstead.store.port import Lane, Store, Tx
from runstead.store.postgres import PostgresStore
from runstead.store.sqlite import SqliteStore
from runstead.wire.assistant import AssistantRequest
from runstead.wire.error import RunsteadError, Unconfirmed, Unreachable
from runstead.wire.message import MessageRequest
from runstead.wire.run import Run, RunRequest
from runstead.wire.thread import ThreadRequest
from tests.support.clock import FastClock
from tests.support.partition import postgres_proxy
from tests.support.postgres import Server, place, server
from tests.support.reader import Reader
from tests.support.waiting import until, within
from tests.support.worlds import WEATHER, World, text_of, world
from tests.support.wrapped import WrappedStore
from tests.worker.processes import ended, starter, worker_of

T = TypeVar("T")


@pytest.fixture
def own_server() -> Iterator[Server]:
    server = Server()
    server.start()
    yield server
    server.remove()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits of a stop to fractions of a second."""
    for bound in (
        "worker.executor._RELEASE",
        "worker.lease._DEREGISTER",
        "store.sqlite.writer._LAST_SECONDS",
        "store.postgres.store._LAST_SECONDS",
        "store.postgres.connection._CLOSE_TIMEOUT",
    ):
        monkeypatch.setattr(f"runstead.{bound}", 0.3)


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, held for writing by another program."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


async def started(here: World, gate: Gate, number: int) -> list[Run]:
    """Runs whose model has said half of its answer."""
    runs = [await here.start("Hi") for _ in range(number)]
    async with within():
        await gate.reached.wait()
    await until(lambda: len(here.model.requests) == number)
    return runs


async def check_whole(here: World, runs: list[Run]) -> None:
    """Every run has the whole answer, from one request to the model."""
    for run in runs:
        assert (await ended(here, run)).status == "completed"
        Reader().read(await here.events(run))
        assert [text_of(message) for message in await here.written(run)] == ["Half and half"]
    assert len(here.model.requests) == len(runs)


def outage_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.message
        for record in caplog.records
        if record.name == "runstead.store" and record.levelno == logging.WARNING
    ]


async def test_answers_outlast_a_file_that_another_program_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gate, path = Gate(), tmp_path / "rs.db"
    store = SqliteStore(path, patience=0.05)
    async with world(lambda _: [say("Half"), gate, say(" and half")], store=store, clock=FastClock()) as here:
        runs = await started(here, gate, 5)
        with locked(path):
            gate.open()
            await until(lambda: bool(outage_lines(caplog)))
            for _ in range(3):
                refused = await asyncio.gather(here.thread("Hi"), return_exceptions=True)
                assert isinstance(refused[0], RunsteadError)
        await check_whole(here, runs)
    began, over = outage_lines(caplog)
    assert began.startswith(f"cannot write to the database, trying again: {path}: ")
    assert over.startswith("the database can be written again after ")
    assert not [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]


async def test_answers_outlast_a_server_that_is_away(
    tmp_path: Path, own_server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    gate = Gate()
    start = starter(place(tmp_path), own_server.url, patience=0.2)
    async with within(60), start(lambda _: [say("Half"), gate, say(" and half")], lease=1) as here:
        runs = await started(here, gate, 20)
        name = worker_of(here).name
        await asyncio.to_thread(own_server.kill)
        gate.open()
        await until(lambda: worker_of(here)._paused)
        with pytest.raises(Unreachable):
            await here.thread("Hi")
        await asyncio.to_thread(own_server.start)
        await until(lambda: not worker_of(here)._paused)
        await check_whole(here, runs)
        assert worker_of(here).name == name, "no worker expires before the server is back for a lease"
    began, over = outage_lines(caplog)
    assert began.startswith("cannot reach the database, trying again: postgresql://")
    assert over.startswith("the database is back after ")
    assert not [record for record in caplog.records if record.exc_info and record.levelno > logging.DEBUG]


class UnconfirmedStore(WrappedStore):
    """Commits the writes of an executing run, and raises `Unconfirmed`."""

    async def write(self, work: Callable[[Tx], Awaitable[T]], *, single: bool = False, lane: Lane = Lane.CALL) -> T:
        answer = await super().write(work, single=single, lane=lane)
        if single and lane is not Lane.CALL:
            raise Unconfirmed("The connection was lost during the commit.")
        return answer


@pytest.mark.parametrize("shared", [False, True], ids=["sqlite", "postgres"])
async def test_a_write_without_an_answer_is_found_and_not_made_again(tmp_path: Path, shared: bool) -> None:
    inner: Store = PostgresStore(server().url, schema=place(tmp_path)) if shared else SqliteStore(":memory:")
    script: list[Turn] = [call("weather"), say("a", "b", "c")]
    async with world(script, store=UnconfirmedStore(inner), clock=FastClock()) as here:
        run = await here.ended(await here.start("Hi", tools=[WEATHER]))
        assert run.status == "requires_action"
        await here.submit(run)
        run = await here.ended(run)
        assert run.status == "completed"
        Reader().read(await here.events(run))
        assert [text_of(message) for message in await here.written(run)] == ["abc"]
        assert [step.status for step in await here.steps(run)] == ["completed", "completed"]
        assert len(here.model.requests) == 2


@pytest.mark.usefixtures("hurried")
async def test_a_worker_stops_while_another_program_holds_the_file(tmp_path: Path) -> None:
    gate, path = Gate(), tmp_path / "rs.db"

    def script(_: object) -> Turn:
        return [say("Half"), gate, say(" and half")]

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        async with within(), world(script, store=SqliteStore(path), clock=SystemClock()) as here:
            [run] = await started(here, gate, 1)
            other.execute("BEGIN IMMEDIATE")
    gate.open()
    async with world(script, path=path, clock=FastClock()) as again:
        assert (await again.ended(run)).status == "completed", "it was left to recovery"


@pytest.mark.usefixtures("hurried")
def test_an_embedded_engine_closes_while_another_program_holds_the_file(tmp_path: Path) -> None:
    gate, path = Gate(), tmp_path / "rs.db"
    model = ScriptedModel(lambda _: [say("Half"), gate, say(" and half")])
    with closing(sqlite3.connect(path, isolation_level=None)) as other, runstead.open(path, model=model) as client:
        assistant = client.create_assistant(AssistantRequest(model="any"))
        said = MessageRequest(role="user", content="Hi")
        thread = client.create_thread(ThreadRequest(messages=[said]))
        run = client.create_run(thread.id, RunRequest(assistant_id=assistant.id))
        stream = client.run_events(run.thread_id, run.id)
        next(event for event in stream if event.event == "thread.message.delta")
        other.execute("BEGIN IMMEDIATE")
    gate.open()
    with runstead.open(path, model=model) as client:
        assert client.wait(run).status == "completed"


@asynccontextmanager
async def held(schema: str) -> AsyncIterator[None]:
    """All rows of the runs, held by another program."""
    admin = await asyncpg.connect(server().url, server_settings={"search_path": schema})
    try:
        async with admin.transaction():
            await admin.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await admin.close()


@pytest.mark.usefixtures("hurried")
async def test_a_worker_stops_while_all_its_connections_are_held(tmp_path: Path) -> None:
    gate, schema = Gate(), place(tmp_path)
    start = starter(schema, connections=2)

    def script(_: object) -> Turn:
        return [say("Half"), gate, say(" and half")]

    async with within(60):
        async with start(script) as here:
            runs = await started(here, gate, 5)
            holding = held(schema)
            await holding.__aenter__()
        await holding.__aexit__(None, None, None)
        gate.open()
        async with start(script) as again:
            for run in runs:
                assert (await ended(again, run)).status == "completed", "it was left to recovery"


@pytest.mark.usefixtures("hurried")
async def test_a_worker_stops_while_its_server_is_away(tmp_path: Path, own_server: Server) -> None:
    gate = Gate()
    start = starter(place(tmp_path), own_server.url)
    async with within(60), start(lambda _: [say("Half"), gate, say(" and half")]) as here:
        await started(here, gate, 5)
        await asyncio.to_thread(own_server.kill)


@pytest.mark.usefixtures("hurried")
async def test_a_worker_stops_while_no_byte_reaches_its_server(tmp_path: Path, own_server: Server) -> None:
    gate = Gate()
    with postgres_proxy(own_server) as proxy:
        start = starter(place(tmp_path), proxy.url)
        async with within(60), start(lambda _: [say("Half"), gate, say(" and half")]) as here:
            await started(here, gate, 5)
            proxy.partition()


DWELL = """
CREATE FUNCTION dwell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END';
CREATE TRIGGER dwell AFTER INSERT OR UPDATE ON steps FOR EACH ROW EXECUTE FUNCTION dwell();
"""


async def test_runs_whose_answers_come_at_once_end_though_their_writes_outlast_the_lease(tmp_path: Path) -> None:
    """A hundred and twenty openings of twenty milliseconds, over one connection: longer than the lease."""
    gate, schema, lease = Gate(), place(tmp_path), 2.0
    start = starter(schema, connections=1, patience=3600)
    async with within(60), start(lambda _: [gate, say("Half and half")], lease=lease) as here:
        admin = await asyncpg.connect(server().url, server_settings={"search_path": schema})
        await admin.execute(DWELL)
        await admin.close()
        name = worker_of(here).name
        runs = await started(here, gate, 120)
        gate.open()
        await check_whole(here, runs)
        assert worker_of(here).name == name
