"""`open`: the engine on a thread of its own."""

import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

import runstead
from runstead import BadRequest, Closed, EventName, MessageRequest, RunsteadError, Status, ThreadRequest, WaitTimeout
from runstead.broker.inprocess import InProcessBroker
from runstead.client import Client
from runstead.embedded.thread import EngineThread
from runstead.embedded.transport_sync import EngineTransport
from runstead.llm.scripted import Gate, ScriptedModel, Signal
from tests.embedded.conftest import Opener, begin
from tests.support.waiting import PATIENCE


@contextmanager
def beside(work: threading.Thread) -> Iterator[None]:
    """Run a thread during the block; it must end with the block."""
    work.start()
    try:
        yield
    finally:
        work.join(PATIENCE)
        assert not work.is_alive()


def engine(client: Client) -> EngineThread:
    transport = client._transport
    assert isinstance(transport, EngineTransport)
    return transport._engine


def engine_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "runstead"]


def test_threads_can_call_concurrently(open_engine: Opener) -> None:
    client = open_engine(lambda request: f"You said {request.messages[-1]['content']}.")
    with ThreadPoolExecutor(8) as threads:
        runs = list(threads.map(lambda number: client.wait(begin(client, str(number)), timeout=PATIENCE), range(24)))
    assert {run.status for run in runs} == {Status.COMPLETED}
    said = {client.messages(run.thread_id, run_id=run.id)[0].content[0].text.value for run in runs}  # type: ignore[union-attr]
    assert said == {f"You said {number}." for number in range(24)}


def test_leaving_a_stream_early_does_not_stop_the_run(open_engine: Opener) -> None:
    gate = Gate()
    client = open_engine([["Once", gate, " upon a time."]])
    run = begin(client)
    with client.run_events(run.thread_id, run.id) as stream:
        next(stream)
    gate.open()
    assert client.wait(run, timeout=PATIENCE).status is Status.COMPLETED


def test_an_abandoned_stream_can_be_collected_on_the_engine_thread(open_engine: Opener) -> None:
    client = open_engine([["Once", Gate()]])
    run = begin(client)
    stream = client.run_events(run.thread_id, run.id)
    next(stream)
    cycle: list[object] = [stream]
    cycle.append(cycle)
    del stream, cycle

    async def collect() -> int:
        return gc.collect()

    assert engine(client).begin(collect()).result(PATIENCE)
    assert client.get_run(run.thread_id, run.id).status is Status.IN_PROGRESS


def test_closing_ends_a_stream_that_is_read_on_another_thread(open_engine: Opener) -> None:
    gate = Gate()
    client = open_engine([["Once", gate]])
    run = begin(client)
    stream = client.run_events(run.thread_id, run.id)
    reading = threading.Event()
    ended = list[Exception]()

    def read() -> None:
        try:
            for event in stream:
                if event.event == EventName.MESSAGE_DELTA:
                    reading.set()
        except RunsteadError as error:
            ended.append(error)

    with beside(threading.Thread(target=read)):
        assert reading.wait(PATIENCE)
        client.close()
    assert [type(error) for error in ended] == [Closed]


def test_a_stream_of_a_closed_client_raises_closed(open_engine: Opener) -> None:
    client = open_engine([["Once", Gate()]])
    run = begin(client)
    stream = client.run_events(run.thread_id, run.id)
    next(stream)
    client.close()
    with pytest.raises(Closed):
        stream.drained()
    stream.close()


def test_close_can_be_called_twice(open_engine: Opener) -> None:
    client = open_engine([])
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(client.close) for _ in range(4)]:
            done.result(PATIENCE)
    client.close()
    assert not engine_threads()


def test_a_closed_engine_is_garbage_collected(database: Path) -> None:
    client = runstead.open(database, model=ScriptedModel([]))
    known = weakref.ref(engine(client))
    client.close()
    del client
    gc.collect()
    assert known() is None


def test_a_closed_client_refuses_calls(open_engine: Opener) -> None:
    client = open_engine([])
    client.close()
    with pytest.raises(Closed, match="This engine was closed"):
        client.create_thread()
    with pytest.raises(Closed):
        list(client.run_events("thread_1", "run_1"))


def test_a_file_in_use_is_refused_at_once(open_engine: Opener, database: Path) -> None:
    open_engine([])
    with pytest.raises(RunsteadError, match="is in use by process"):
        runstead.open(database, model=ScriptedModel([]))
    assert len(engine_threads()) == 1


def test_a_closed_file_can_be_opened_again(open_engine: Opener) -> None:
    for text in ("one", "two"):
        with open_engine([text]) as client:
            assert client.wait(begin(client), timeout=PATIENCE).status is Status.COMPLETED


def test_released_runs_continue_with_the_next_open(open_engine: Opener) -> None:
    gate = Gate()
    with open_engine([["Once", gate]]) as client:
        run = begin(client)
        assert gate.reached.wait_blocking(PATIENCE)
    with open_engine(["Once upon a time."]) as client:
        assert client.wait(run, timeout=PATIENCE).status is Status.COMPLETED


def test_a_wait_that_times_out_does_not_stop_the_run(open_engine: Opener) -> None:
    gate = Gate()
    client = open_engine([["Once", gate]])
    run = begin(client)
    with pytest.raises(WaitTimeout):
        client.wait(run, timeout=0.05)
    gate.open()
    assert client.wait(run, timeout=PATIENCE).status is Status.COMPLETED


def test_requests_are_checked_as_by_a_server(open_engine: Opener) -> None:
    client = open_engine([])
    with pytest.raises(BadRequest) as wrong:
        client.create_thread(ThreadRequest(messages=[MessageRequest(role="user", content=5)]))  # type: ignore[arg-type]
    assert wrong.value.param == "messages[0].content"


class Failing:
    """Offers of a broker that fails when the test says so."""

    def __init__(self) -> None:
        self.broken = Signal()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        await self.broken.wait()
        raise RuntimeError("the broker is gone")


def test_a_failed_engine_raises_closed_in_all_waiting_calls(
    open_engine: Opener, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    offers = Failing()
    monkeypatch.setattr(InProcessBroker, "offers", lambda _: offers)
    client = open_engine([["Once", Gate()]])
    run = begin(client)
    stream = client.run_events(run.thread_id, run.id)
    next(stream)
    offers.broken.set()
    with pytest.raises(Closed, match="The engine failed"):
        stream.drained()
    with pytest.raises(Closed, match="The engine failed"):
        client.create_thread()
    client.close()
    assert "the broker is gone" in caplog.text
