"""Connections: over TLS, through a proxy, with large responses, and closed while a thread reads."""

import asyncio
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpcore2
import pytest
import uvloop

from runstead.client import connect, connect_async
from runstead.client.http.network_async import MAX_BUFFER, AsyncNetwork
from runstead.wire.error import Closed, Unreachable
from tests.client import samples
from tests.client.samples import EVENTS_PATH, RUN_ID, THREAD_ID
from tests.client.wire_server import Response, Stream, WireServer, event

CERTIFICATE = Path(__file__).with_name("localhost.pem")
TIMES = 400
THREAD_PATH = f"/threads/{THREAD_ID}"


@pytest.fixture
def secured() -> WireServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = WireServer(context)
    server.on("GET", THREAD_PATH, Response.of(samples.thread()))
    return server


async def test_calls_over_tls(secured: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with secured.running():
        async with connect_async(secured.url) as client:
            for _ in range(2):
                assert (await client.get_thread(THREAD_ID)).id == THREAD_ID
        with connect(secured.url) as client:
            assert client.get_thread(THREAD_ID).id == THREAD_ID
    assert secured.connections == 2


async def test_an_untrusted_certificate_is_refused(secured: WireServer) -> None:
    with secured.running():
        async with connect_async(secured.url, max_retries=0) as client:
            with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get_thread(THREAD_ID)
        with (
            connect(secured.url, max_retries=0) as client,
            pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            client.get_thread(THREAD_ID)
    assert not secured.seen


async def test_the_proxy_of_the_environment_is_used(server: WireServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url.replace("//", "//me:pw@"))
    url = f"http://far.invalid:80/v1{THREAD_PATH}"
    server.on("GET", url, Response.of(samples.thread()))
    async with connect_async("http://far.invalid") as client:
        await client.get_thread(THREAD_ID)
    with connect("http://far.invalid") as client:
        client.get_thread(THREAD_ID)
    assert [seen.target for seen in server.seen] == [url, url]
    assert server.seen[0].headers["proxy-authorization"] == "Basic bWU6cHc="


@pytest.mark.parametrize("excepted", [False, True])
def test_no_proxy_is_used_for_this_machine_or_hosts_in_no_proxy(
    server: WireServer, monkeypatch: pytest.MonkeyPatch, *, excepted: bool
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    url = server.url
    if excepted:
        monkeypatch.setenv("no_proxy", "far.invalid")
        url = "http://far.invalid"
    server.on("GET", THREAD_PATH, Response.of(samples.thread()))
    with connect(url, max_retries=0) as client:
        if excepted:
            with pytest.raises(Unreachable, match=r"far\.invalid"):
                client.get_thread(THREAD_ID)
        else:
            client.get_thread(THREAD_ID)


async def test_a_response_larger_than_the_buffer_arrives_complete(server: WireServer) -> None:
    text = "x" * (8 * MAX_BUFFER)
    server.on("GET", f"{THREAD_PATH}/messages/msg_1", Response.of(samples.message("msg_1", text)))
    async with connect_async(server.url) as client:
        message = await client.get_message(THREAD_ID, "msg_1")
    assert message.content[0].text.value == text  # type: ignore[union-attr]


async def test_a_full_read_buffer_slows_the_sender() -> None:
    blocked = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.set_write_buffer_limits(0)
        for _ in range(TIMES):
            writer.write(bytes(MAX_BUFFER))
            if writer.transport.get_write_buffer_size() > 4 * MAX_BUFFER:
                blocked.set()
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(flood, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await AsyncNetwork().connect_tcp("127.0.0.1", port)
        async with asyncio.timeout(10):
            await blocked.wait()
            received = 0
            while data := await connection.read(65536, timeout=5):
                received += len(data)
        await connection.aclose()
    assert received == TIMES * MAX_BUFFER


def test_closing_a_client_wakes_a_reading_thread(server: WireServer) -> None:
    server.on("GET", EVENTS_PATH, Stream([event("thread.run.created", samples.run(), "1")], held=True))
    client = connect(server.url)
    stream = client.run_events(THREAD_ID, RUN_ID)
    next(stream)
    with ThreadPoolExecutor() as pool:
        reading = pool.submit(next, stream)
        with pytest.raises(TimeoutError):
            reading.result(0.05)
        client.close()
        with pytest.raises(Closed):
            reading.result(10)


async def test_an_unknown_host_name_is_a_connect_error() -> None:
    with pytest.raises(httpcore2.ConnectError):
        await AsyncNetwork().connect_tcp("nowhere.invalid", 80, timeout=5)


def test_the_async_client_works_on_uvloop(server: WireServer) -> None:
    server.on("GET", THREAD_PATH, Response.of(samples.thread()))

    async def get() -> str:
        async with connect_async(server.url) as client:
            return (await client.get_thread(THREAD_ID)).id

    assert uvloop.run(get()) == THREAD_ID


async def flood(connection: httpcore2.AsyncNetworkStream) -> None:
    """Send more than any buffer holds."""
    for _ in range(1000):
        await connection.write(bytes(64 * 1024), timeout=0.05)


async def test_a_receiver_that_does_not_read_slows_the_sender_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        host, port = listening.getsockname()
        connection = await AsyncNetwork().connect_tcp(host, port, timeout=5)
        with pytest.raises(httpcore2.WriteTimeout):
            await flood(connection)
        accepted, _ = listening.accept()
        with accepted:
            async with asyncio.TaskGroup() as group:
                writing = group.create_task(connection.write(b"more", timeout=5))
                while not writing.done():
                    await asyncio.to_thread(accepted.recv, 1 << 20)
        await connection.aclose()
