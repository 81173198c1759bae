"""The streams are prepared, whatever servers are gone."""

import pytest

from runstead.broker.nats.address import Address
from runstead.broker.nats.connection import Connection
from runstead.broker.nats.jetstream import JetStream
from runstead.broker.nats.subjects import Subjects


class Servers:
    """Answers requests as servers do. Requests for a stream in `gone` time out until it is deleted."""

    def __init__(self, *gone: str) -> None:
        self.gone = set(gone)
        self.requests: list[str] = []

    async def request(self, subject: str, data: bytes) -> bytes:
        what = subject.removeprefix("$JS.API.")
        self.requests.append(what)
        stream = what.split(".")[2]
        if stream in self.gone:
            if what.startswith("STREAM.DELETE"):
                self.gone.remove(stream)
            raise TimeoutError
        return b"{}"


def a_jetstream() -> JetStream:
    return JetStream(Connection(Address.parse("nats://nowhere")), Subjects("a"), 3, 1000)


async def test_the_event_stream_moves_when_its_server_is_gone() -> None:
    servers = Servers("a_EV")
    await a_jetstream().prepare(servers.request)
    assert servers.requests[:2] == ["STREAM.CREATE.a_RUNS", "CONSUMER.CREATE.a_RUNS.workers"]
    assert servers.requests[2:] == ["STREAM.CREATE.a_EV", "STREAM.DELETE.a_EV", "STREAM.CREATE.a_EV"]


async def test_no_stream_is_deleted_while_the_servers_elect_a_leader() -> None:
    servers = Servers("a_RUNS", "a_EV")
    with pytest.raises(TimeoutError):
        await a_jetstream().prepare(servers.request)
    assert servers.requests == ["STREAM.CREATE.a_RUNS", "STREAM.CREATE.a_EV"]
