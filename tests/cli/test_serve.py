"""The `runstead serve` process starts, stops and fails as documented."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from urllib.request import Request, urlopen

import pytest

from runstead import Run, RunsteadError, Status
from runstead.cli.listen_socket import bind, listen
from runstead.client import Client
from runstead.wire.event import EventName
from tests.cli.conftest import SLOW, Serve, Served, begin
from tests.llm.fake_upstream import fake_upstream, refused
from tests.support.waiting import PATIENCE

Clients = Callable[[Served], Client]
STOPS = [signal.SIGTERM, signal.SIGINT]
GRACE = 5.0
SOON = 3.0
"""Seconds: far less than the grace period of open connections."""
CRASH = """
from runstead.broker.inprocess import InProcessBroker

def offers(broker):
    raise RuntimeError("the broker is gone")

InProcessBroker.offers = offers
from runstead.__main__ import main
main()
"""
FEW_FILES = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (100, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from runstead.__main__ import main
main()
"""


def stream_request(served: Served, run: Run) -> Request:
    url = f"{served.url}/v1/threads/{run.thread_id}/runs/{run.id}/events"
    return Request(url, headers={"OpenAI-Beta": "assistants=v2"})


def hanging(served: Served) -> socket.socket:
    """A connection with half a request, whose body the server is reading."""
    host, port = served.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), PATIENCE)
    lines = ["POST /v1/threads HTTP/1.1", f"Host: {host}:{port}", "OpenAI-Beta: assistants=v2", "Content-Length: 9"]
    # The server sends 100 Continue only once it reads the body.
    connection.sendall("\r\n".join([*lines, "Expect: 100-continue", "", ""]).encode())
    assert connection.recv(1024).startswith(b"HTTP/1.1 100")
    connection.sendall(b"{")
    return connection


class TestStart:
    def test_the_printed_url_answers(self, serve: Serve) -> None:
        with urlopen(serve().url + "/health", timeout=PATIENCE) as health:
            assert json.load(health)["status"] == "ok"

    def test_an_ipv6_address_has_brackets_in_the_url(self) -> None:
        try:
            bound = bind("::1", 0)
        except RunsteadError as error:
            pytest.skip(str(error))
        with bound:
            assert listen(bound) == f"http://[::1]:{bound.getsockname()[1]}"

    def test_two_sockets_do_not_listen_on_one_address(self) -> None:
        with bind("127.0.0.1", 0) as first:
            port = first.getsockname()[1]
            with bind("127.0.0.1", port) as second:
                listen(first)
                with pytest.raises(RunsteadError, match="Address already in use"):
                    listen(second)

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
    def test_the_limit_of_open_files_is_raised_to_the_maximum(self, serve: Serve) -> None:
        served = serve("", "--log-level", "debug", program=FEW_FILES)
        limits = Path(f"/proc/{served.process.pid}/limits").read_text()
        [files] = [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")]
        assert files[0] == files[1] != "100"
        served.signal(signal.SIGTERM)
        assert " DEBUG runstead.serve open files: raised the limit was=100 limit=" in served.ended()[1]

    def test_settings_come_from_file_environment_and_flags(
        self, serve: Serve, client_of: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "settings.toml"
        file.write_text('run_lifetime = 7\nlog_level = "error"\npoll_after_ms = 5\n')
        monkeypatch.setenv("RUNSTEAD_RUN_LIFETIME", "77")
        run = begin(client_of(serve("", "--config", str(file))))
        assert run.expires_at == run.created_at + 77


class TestStop:
    @pytest.mark.parametrize("stop", STOPS)
    def test_a_shutdown_ends_streams_cleanly_and_releases_runs(
        self, stop: signal.Signals, serve: Serve, client_of: Clients
    ) -> None:
        served = serve(SLOW)
        client = client_of(served)
        run = begin(client)
        with urlopen(stream_request(served, run), timeout=PATIENCE) as stream:
            while b"event: thread.message.delta" not in stream.readline():
                pass
            signalled = monotonic()
            served.signal(stop)
            rest = stream.read()  # raises if the stream is cut
        assert b"[DONE]" not in rest
        code, log = served.ended()
        assert monotonic() - signalled < SOON
        assert code == 0
        assert f"INFO runstead.serve stopping signal={stop.name}\n" in log
        assert log.splitlines()[-1].endswith("INFO runstead.serve stopped")
        again = client_of(serve())
        assert again.wait(run, timeout=PATIENCE).status is Status.COMPLETED
        steps = list(again.run_steps(run.thread_id, run.id))
        assert [step.status for step in steps] == ["completed", "failed"]

    def test_a_stream_continues_with_the_next_server_on_the_port(self, serve: Serve, client_of: Clients) -> None:
        first = serve(SLOW)
        port = first.url.rpartition(":")[2]
        client = client_of(first)
        run = begin(client)
        names = list[str]()
        with client.run_events(run.thread_id, run.id) as stream:
            for event in stream:
                names.append(event.event)
                if event.event == EventName.MESSAGE_DELTA:
                    break
            first.signal(signal.SIGTERM)
            assert first.ended()[0] == 0
            serve('[[answer]]\nsay = "The end."\n', "--port", port)
            names += [event.event for event in stream]
        assert names[-1] == EventName.RUN_COMPLETED
        assert names.count(EventName.RUN_CREATED) == 1

    def test_a_second_signal_ends_the_server_at_once(self, serve: Serve) -> None:
        served = serve()
        with hanging(served):
            served.signal(signal.SIGTERM)
            served.wait_for_log("stopping")
            served.signal(signal.SIGTERM)
            signalled = monotonic()
            code, _ = served.ended()
        assert monotonic() - signalled < SOON
        assert code == -signal.SIGTERM

    def test_a_hanging_connection_delays_a_shutdown_by_the_grace_period_only(self, serve: Serve) -> None:
        served = serve()
        with hanging(served):
            signalled = monotonic()
            served.signal(signal.SIGTERM)
            code, _ = served.ended()
        assert code == 0
        assert SOON < monotonic() - signalled < GRACE + SOON


class TestFailures:
    def test_a_crash_of_the_worker_ends_the_server(self, serve: Serve) -> None:
        code, log = serve(program=CRASH).ended()
        assert code == 1
        assert "CRITICAL runstead.serve the server failed" in log
        assert "RuntimeError: the broker is gone" in log
        assert log.splitlines()[-1].startswith("Error: The server failed; its log shows the cause.")

    async def test_the_model_key_is_never_logged(
        self, client_of: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        echo = refused(401, {"error": {"message": "No such key: sk-very-secret"}})
        monkeypatch.setenv("RUNSTEAD_MODEL_KEY", "sk-very-secret")
        async with fake_upstream(echo) as upstream:
            settings = ("--data", str(tmp_path / "data"), "--model-url", upstream.url, "--log-level", "debug")
            code, log, message = await asyncio.to_thread(fail_a_run, settings, client_of)
            assert upstream.exchanges[0].headers["authorization"] == "Bearer sk-very-secret"
        assert code == 0
        assert "No such key" in message
        assert "No such key" in log
        assert "very-secret" not in log + message


def fail_a_run(settings: tuple[str, ...], client_of: Clients) -> tuple[int, str, str]:
    with Served(*settings) as served:
        client = client_of(served)
        run = client.wait(begin(client), timeout=PATIENCE)
        assert run.last_error is not None
        client.models()
        served.signal(signal.SIGTERM)
        return *served.ended(), run.last_error.message
