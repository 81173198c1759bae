"""The sync client does what the async one does, of which it is a generated copy.

The rules are tested with the async client. Here every generated module is used once, and what only the sync client has
(blocking sockets, threads) is tested as a whole.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import msgspec
import pytest

from runstead.client import connect
from runstead.client._sync.client import Client
from runstead.client._sync.http import HttpTransport
from runstead.client._sync.pool import Pool
from runstead.client._sync.upload import Upload
from runstead.client.http.connections import sync_connections
from runstead.client.http.retries import RetryPolicy
from runstead.client.http.target import Target
from runstead.wire.error import BadRequest, Closed, NotFound, ServerError, Unreachable, WaitTimeout
from runstead.wire.run import Run, RunRequest, Status
from runstead.wire.struct import SortOrder
from tests.client import samples
from tests.client.endpoint_cases import CASES, STREAMING
from tests.client.samples import ASSISTANT_ID, EVENTS_PATH, OUTPUTS_PATH, RUN_ID, RUN_PATH, RUNS_PATH, THREAD_ID
from tests.client.wire_server import Disconnect, NoResponse, Response, Stream, WireServer, event
from tests.support.files import CREATE_FILE, FILE_CONTENT, FileRequest

THREAD_PATH = f"/threads/{THREAD_ID}"
GOOD = Response.of(samples.thread())
CREATED = event("thread.run.created", samples.run(), "1")
BEGUN = event("thread.message.created", samples.message(status="in_progress"), "2")
HEL = event("thread.message.delta", samples.delta("Hel"), "2.1")
WRITTEN = event("thread.message.completed", samples.message(text="Hello", status="completed"), "3")
ENDED = event("thread.run.completed", samples.run("completed"), "4")
ASKED = event("thread.run.requires_action", samples.waiting_run(samples.call("add", '{"left": 2, "right": 3}')), "5")
AFTER_OUTPUTS = Stream.of(event("thread.run.completed", samples.run("completed"), "6"))
REQUEST = RunRequest(assistant_id=ASSISTANT_ID, tools=[])
RUN = msgspec.convert(samples.run(), Run)


def add(left: int, right: int) -> int:
    """Add two numbers."""
    return left + right


@pytest.fixture
def pauses() -> list[float]:
    """The seconds that the client would have slept."""
    return []


@pytest.fixture
def client(server: WireServer, pauses: list[float]) -> Iterator[Client]:
    with client_of(server, pauses.append) as client:
        yield client


def client_of(server: WireServer, sleep: Callable[[float], None], timeout: float = 10.0) -> Client:
    target = Target(server.url)
    transport = HttpTransport(
        target, Pool(sync_connections(target)), timeout=timeout, retries=RetryPolicy(2), sleep=sleep
    )
    return Client(transport, sleep=sleep)


class TestCalls:
    def test_every_endpoint_has_a_method_that_sends_it(self, client: Client, server: WireServer) -> None:
        for name, (arguments, method, target, body, reply) in CASES.items():
            path = target.partition("?")[0]
            if reply is None:
                server.on(method, path, Stream.of(ENDED))
                assert [got.id for got in getattr(client, name)(**arguments)] == ["4"]
            else:
                server.on(method, path, Response.of(reply))
                assert getattr(client, name)(**arguments)
            seen = server.seen[-1]
            assert (seen.method, seen.target) == (method, f"/v1{target}")
            assert seen.body == b"" if body is None else seen.json == body

    def test_streaming_methods_send_stream_true(self, client: Client, server: WireServer) -> None:
        for name, (plain, body) in STREAMING.items():
            arguments, method, target, _, _ = CASES[plain]
            server.on(method, target.partition("?")[0], Stream.of(ENDED))
            assert getattr(client, name)(**arguments).final_run().status == "completed"
            assert server.seen[-1].json == body

    def test_connect_reads_url_and_key_from_the_environment(
        self, server: WireServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("RUNSTEAD_URL", server.url)
        monkeypatch.setenv("RUNSTEAD_API_KEY", "from-outside")
        server.on("GET", THREAD_PATH, GOOD)
        with connect(headers={"openai-beta": "assistants=v3"}) as client:
            assert client.get_thread(THREAD_ID).id == THREAD_ID
        headers = server.seen[0].headers
        assert (headers["authorization"], headers["openai-beta"]) == ("Bearer from-outside", "assistants=v3")

    def test_an_iteration_fetches_all_pages(self, client: Client, server: WireServer) -> None:
        one, two, three = (samples.thread(f"thread_{n}") for n in (1, 2, 3))
        server.on(
            "GET",
            "/threads",
            Response.of(samples.page(one, two, has_more=True)),
            Response.of(samples.page(three)),
        )
        page = client.threads(limit=2, order=SortOrder.ASC)
        assert len(page) == 2
        assert [item.id for item in page] == ["thread_1", "thread_2", "thread_3"]
        assert server.seen[1].target == "/v1/threads?limit=2&order=asc&after=thread_2"


class TestRetries:
    def test_a_get_is_retried(self, client: Client, server: WireServer, pauses: list[float]) -> None:
        server.on("GET", THREAD_PATH, Disconnect(), Response.error(429, retry_after="7"), GOOD)
        assert client.get_thread(THREAD_ID).id == THREAD_ID
        assert pauses[1:] == [7.0]

    def test_a_post_of_unknown_outcome_is_retried_only_where_the_server_keeps_idempotency_keys(
        self, client: Client, server: WireServer
    ) -> None:
        server.on("POST", "/threads", Disconnect(), GOOD)
        with pytest.raises(Unreachable, match="may have been carried out"):
            client.create_thread()
        server.on("GET", THREAD_PATH, Response.of(samples.thread(), idempotency_keys="86400"))
        client.get_thread(THREAD_ID)
        server.seen.clear()
        server.on("POST", "/threads", Disconnect(), GOOD)
        client.once("order 17").create_thread()
        assert [seen.headers["idempotency-key"] for seen in server.seen] == ["order 17"] * 2

    def test_errors_have_the_class_of_their_status(self, client: Client, server: WireServer) -> None:
        server.on("POST", "/threads", Response.error(400, "because"))
        with pytest.raises(BadRequest, match="because"):
            client.create_thread()
        with pytest.raises(NotFound):
            client.get_thread(THREAD_ID)
        server.on("GET", THREAD_PATH, Response(b"<html>Welcome</html>"))
        with pytest.raises(ServerError, match="not JSON"):
            client.get_thread(THREAD_ID)

    def test_a_response_time_out_is_unreachable(self, server: WireServer) -> None:
        server.on("POST", "/threads", NoResponse())
        with client_of(server, lambda _: None, timeout=0.1) as client, pytest.raises(Unreachable, match="in time"):
            client.create_thread()

    def test_without_a_server_the_error_says_how_to_start_one(self, client: Client, server: WireServer) -> None:
        server.stop()
        with pytest.raises(Unreachable, match="runstead serve"):
            client.create_thread()


class TestStreams:
    def test_a_broken_stream_resumes_after_its_last_event(
        self, client: Client, server: WireServer, pauses: list[float]
    ) -> None:
        server.on("POST", RUNS_PATH, Stream.of(CREATED, BEGUN, HEL, cut=True))
        server.on("GET", EVENTS_PATH, Disconnect(), Stream.of(HEL, WRITTEN, ENDED))
        stream = client.create_streaming_run(THREAD_ID, REQUEST).with_snapshots()
        assert [got.id for got in stream] == ["1", "2", "2.1", "3", "4"]
        assert server.seen[1].target == f"/v1{EVENTS_PATH}?after=2.1"
        assert [message.status for message in stream.messages] == ["completed"]
        assert len(pauses) == 2

    def test_text_that_was_missed_is_taken_from_the_completed_message(self, client: Client, server: WireServer) -> None:
        server.on("GET", EVENTS_PATH, Stream.of(CREATED, BEGUN, HEL, cut=True), Stream.of(WRITTEN, ENDED))
        with client.run_events(THREAD_ID, RUN_ID) as stream:
            assert list(stream.text_deltas()) == ["Hel", "lo"]

    def test_leaving_a_stream_early_closes_its_connection(self, client: Client, server: WireServer) -> None:
        server.on("GET", EVENTS_PATH, Stream([CREATED], held=True))
        with client.run_events(THREAD_ID, RUN_ID) as stream:
            assert next(stream).id == "1"
        assert server.gone.wait(5)


class TestPool:
    def test_consecutive_calls_and_streams_reuse_a_connection(self, client: Client, server: WireServer) -> None:
        server.on("GET", THREAD_PATH, GOOD)
        server.on("GET", EVENTS_PATH, Stream.of(ENDED))
        for _ in range(3):
            client.get_thread(THREAD_ID)
            client.run_events(THREAD_ID, RUN_ID).drained()
        assert server.connections == 1

    def test_an_idle_connection_that_the_server_closed_is_not_reused(self, client: Client, server: WireServer) -> None:
        server.on("POST", "/threads", Response.of(samples.thread(), last=True))
        for _ in range(2):
            client.create_thread()
            assert server.gone.wait(5)
            server.gone.clear()
        assert server.connections == 2

    def test_threads_can_share_a_client(self, client: Client, server: WireServer) -> None:
        server.on("GET", THREAD_PATH, GOOD)
        with ThreadPoolExecutor(4) as pool:
            calls = [pool.submit(client.get_thread, THREAD_ID) for _ in range(20)]
            assert {call.result(10).id for call in calls} == {THREAD_ID}
        assert server.connections <= 4

    def test_a_closed_client_raises_closed(self, client: Client) -> None:
        client.close()
        with pytest.raises(Closed):
            client.get_thread(THREAD_ID)
        with pytest.raises(Closed):
            client.run_events(THREAD_ID, RUN_ID).final_run()


class TestWait:
    def test_wait_reads_the_run_s_events(self, client: Client, server: WireServer) -> None:
        server.on("GET", RUN_PATH, Response.of(samples.run()))
        server.on("GET", EVENTS_PATH, Stream.of(CREATED, cut=True), Stream.of(ENDED))
        assert client.wait(RUN).status is Status.COMPLETED

    def test_wait_polls_a_server_without_run_events(
        self, client: Client, server: WireServer, pauses: list[float]
    ) -> None:
        working = Response.of(samples.run("in_progress"), openai_poll_after_ms="1500")
        server.on("GET", RUN_PATH, working, working, Response.of(samples.run("completed")))
        assert client.wait(RUN).status is Status.COMPLETED
        assert pauses == [1.5]

    def test_pings_do_not_extend_the_deadline(self, client: Client, server: WireServer) -> None:
        server.on("GET", RUN_PATH, Response.of(samples.run()))
        server.on("GET", EVENTS_PATH, Stream([CREATED], pings=True))
        begun = monotonic()
        with pytest.raises(WaitTimeout, match="was queued when it was last seen"):
            client.wait(RUN, timeout=0.1)
        assert 0.09 <= monotonic() - begun < 5
        assert server.gone.wait(5)


class TestToolLoop:
    def test_drive_calls_the_tools_and_returns_the_ended_run(self, client: Client, server: WireServer) -> None:
        server.on("POST", RUNS_PATH, Stream.of(CREATED, ASKED))
        server.on("POST", OUTPUTS_PATH, AFTER_OUTPUTS)
        assert client.drive(THREAD_ID, REQUEST, [add]).status is Status.COMPLETED
        assert server.seen[-1].json["tool_outputs"] == [{"tool_call_id": "call_1", "output": "5"}]

    def test_lost_outputs_are_submitted_again_without_calling_the_tool_again(
        self, client: Client, server: WireServer
    ) -> None:
        calls = []

        def count() -> int:
            calls.append(1)
            return 1

        server.on("GET", RUN_PATH, Response.of(samples.waiting_run(samples.call("count"))))
        server.on("POST", OUTPUTS_PATH, Disconnect(), AFTER_OUTPUTS)
        server.on("GET", EVENTS_PATH, Stream.of())
        assert client.take_up(RUN, [count]).status is Status.COMPLETED
        assert calls == [1]

    def test_parallel_tool_calls_run_concurrently_and_errors_are_outputs(
        self, client: Client, server: WireServer
    ) -> None:
        together = threading.Barrier(2, timeout=10)

        def meet(name: str) -> str:
            together.wait()
            if name == "b":
                raise RuntimeError("no power")
            return name

        calls = [samples.call("meet", f'{{"name": "{name}"}}', f"call_{name}") for name in "ab"]
        asked = event("thread.run.requires_action", samples.waiting_run(*calls), "5")
        server.on("POST", RUNS_PATH, Stream.of(CREATED, asked))
        server.on("POST", OUTPUTS_PATH, AFTER_OUTPUTS)
        with client.drive_streaming(THREAD_ID, REQUEST, [meet]) as stream:
            assert [got.id for got in stream] == ["1", "5", "6"]
        outputs = [each["output"] for each in server.seen[-1].json["tool_outputs"]]
        assert outputs == ["a", '{"error":"RuntimeError: no power"}']

    def test_the_deadline_bounds_slow_tools(self, client: Client, server: WireServer) -> None:
        late = threading.Event()
        server.on("GET", RUN_PATH, Response.of(samples.waiting_run(samples.call("slow"))))

        def slow() -> None:
            late.wait(10)

        with pytest.raises(WaitTimeout, match=f"run {RUN_ID} was requires_action"):
            client.take_up(RUN, [slow], timeout=0.1)
        late.set()

    def test_a_coroutine_function_is_refused_before_anything_is_sent(self, client: Client, server: WireServer) -> None:
        async def gentle() -> None: ...

        with pytest.raises(TypeError, match="async client: gentle"):
            client.drive(THREAD_ID, REQUEST, [gentle])
        assert not server.seen


class TestTransfer:
    def test_a_file_is_uploaded_and_downloaded(self, files_url: str, tmp_path: Path) -> None:
        content = b"some bytes, \r\n--and more. " * 20_000
        target = Target(files_url)
        transport = HttpTransport(target, Pool(sync_connections(target)), sleep=lambda _: None)
        upload = Upload(FileRequest(purpose="tests", tags=["a"]), {"file": content})
        stored = transport.upload(CREATE_FILE, {}, upload)
        assert (stored.size, stored.tags) == (len(content), ["a"])
        transport.download(FILE_CONTENT, {"file_id": stored.id}).save(tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == content
        transport.close()
