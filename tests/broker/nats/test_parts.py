"""The parts that only decide: addresses, messages, the order of the outbox, and how past and present are joined."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runstead.broker.nats.address import Address
from runstead.broker.nats.connection import Connection
from runstead.broker.nats.jetstream import JetStream
from runstead.broker.nats.messages import pack, since_stored, unpack
from runstead.broker.nats.outbox import Outbox, Outgoing, Unconfirmed
from runstead.broker.nats.run_feed import RunFeed
from runstead.broker.nats.subjects import Subjects
from runstead.broker.subscriber import Subscriber
from runstead.wire.event import EventName, Position, RawEvent


def event(seq: int, delta: int = 0, data: bytes = b"{}") -> RawEvent:
    return RawEvent(Position(seq, delta), EventName.MESSAGE_DELTA if delta else EventName.RUN_QUEUED, data)


@pytest.mark.parametrize(
    ("url", "servers", "told"),
    [
        ("nats://127.0.0.1", ("nats://127.0.0.1:4222",), (None, None, None)),
        ("nats://[::1]:5/", ("nats://[::1]:5",), (None, None, None)),
        ("tls://a:1,b:2", ("tls://a:1", "tls://b:2"), (None, None, None)),
        ("nats://me:p%40ss@a,b", ("nats://a:4222", "nats://b:4222"), ("me", "p@ss", None)),
        ("nats://secret@a", ("nats://a:4222",), (None, None, "secret")),
    ],
)
def test_an_address_holds_servers_and_credentials(
    url: str, servers: tuple[str, ...], told: tuple[str | None, ...]
) -> None:
    address = Address.parse(url)
    assert address.servers == servers
    assert (address.user, address.password, address.token) == told
    assert repr(address) == ",".join(servers)


@pytest.mark.parametrize(
    "url", ["", "nats://", "http://a", "nats://a/path", "nats://hush@", "nats://me:hush", "nats://[a"]
)
def test_an_invalid_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The URL of NATS is of the form nats://host:4222, or tls://host:4222\.$"):
        Address.parse(url)


EVENTS = some.lists(
    some.builds(event, some.integers(0, 5), some.integers(0, 5), some.integers(0, 400).map(lambda n: b"x" * n * 1000))
)


@given(EVENTS)
def test_packed_events_unpack_to_the_same(events: list[RawEvent]) -> None:
    messages = list(pack(events))
    assert [each for data, _ in messages for each in unpack(data)] == events
    assert all(len(data) < 1_000_000 for data, _ in messages)
    for data, fresh in messages:
        assert fresh == any(not each.at.delta for each in unpack(data))


def test_an_unreadable_message_unpacks_to_no_events() -> None:
    assert unpack(b"") == unpack(b"\xff") == unpack(b"\x91\x93\x92\x01\x00\xa3new\xc4\x00") == []


def test_only_deltas_after_the_last_stored_event_are_kept() -> None:
    assert since_stored([event(1, 1), event(2), event(2, 1)]) == [event(2, 1)]
    assert since_stored([event(1, 1), event(2)]) == []
    assert since_stored([event(1, 1)]) == [event(1, 1)]


def test_waiting_events_of_a_run_are_joined_but_never_pass_a_subscription() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.publish("a", [event(1)])
    outbox.publish("b", [event(1)])
    outbox.publish("a", [event(2)])
    outbox.put("subscribe")
    outbox.publish("a", [event(3)])
    taken = [
        (each.subject, [told.at.seq for told in unpack(each.data)]) if isinstance(each, Outgoing) else each
        for each in outbox.take()
    ]
    assert taken == [("a", [1, 2]), ("b", [1]), "subscribe", ("a", [3])]
    assert outbox.take() == []


def test_a_full_outbox_drops_events_and_nothing_else() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put("subscribe")
    big = event(1, data=b"x" * 1_000_000)
    assert [outbox.publish("a", [big]) for _ in range(17)] == [True] * 16 + [False]
    assert len(outbox.take()) == 2


class Recalled:
    """A topic with a subscriber, and how often the server was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.feed = RunFeed(self._ask)
        self.subscriber = Subscriber((), 60)
        self.feed.subscribers.add(self.subscriber)

    def _ask(self) -> None:
        self.asked += 1

    def heard(self) -> list[RawEvent] | None:
        if self.subscriber._must_read:
            self.subscriber._must_read = False
            return None
        events, self.subscriber._waiting = self.subscriber._waiting, []
        return events


@pytest.fixture
async def here() -> Recalled:
    return Recalled()


async def test_events_before_the_answer_wait_for_it(here: Recalled) -> None:
    here.feed.begin()
    here.feed.receive([event(2, 3)])
    assert here.heard() == []
    here.feed.add_past([event(2), event(2, 1), event(2, 2), event(2, 3)])
    assert here.heard() == [event(2, 1), event(2, 2), event(2, 3)]
    assert here.feed.kept == [event(2, 1), event(2, 2), event(2, 3)]


async def test_a_stored_event_that_arrived_meanwhile_is_passed_on(here: Recalled) -> None:
    here.feed.begin()
    here.feed.receive([event(2, 3)])
    here.feed.receive([event(3)])
    here.feed.add_past([event(3)])
    assert (here.heard(), here.asked) == ([event(2, 3), event(3)], 1)
    assert here.feed.kept == []


async def test_a_gap_is_requested_and_then_left_to_the_store(here: Recalled) -> None:
    here.feed.receive([event(2, 1)])
    here.feed.receive([event(2, 3)])
    assert here.heard() == [event(2, 1)]
    here.feed.add_past([event(2), event(2, 1), event(2, 2), event(2, 3)])
    assert (here.heard(), here.asked) == ([event(2, 2), event(2, 3)], 1)
    here.feed.receive([event(2, 9)])
    for _ in range(3):
        assert here.heard() == []
        here.feed.add_past([])
    assert (here.heard(), here.asked) == ([event(2, 9)], 4)


async def test_events_missed_during_a_disconnection_arrive_once(here: Recalled) -> None:
    here.feed.receive([event(2, 1)])
    here.feed.begin()
    here.feed.add_past([event(2, 1), event(2, 2)])
    assert here.heard() == [event(2, 1), event(2, 2)]


async def test_an_unreadable_message_makes_subscribers_read_the_store(here: Recalled) -> None:
    here.feed.receive_message(b"\xff")
    assert here.heard() is None
    await asyncio.sleep(0)


async def test_deltas_of_a_worker_that_lost_the_run_are_ignored(here: Recalled) -> None:
    here.feed.receive([event(2, 1), event(2, 2)])
    here.feed.receive([event(3)])
    here.feed.receive([event(5), event(5, 1)])
    assert here.heard() == [event(2, 1), event(2, 2), event(3), event(5), event(5, 1)]
    here.feed.receive([event(2, 3)])
    here.feed.receive([event(5, 1), event(5, 2)])
    assert here.heard() == [event(5, 2)]
    assert here.feed.kept == [event(5, 1), event(5, 2)]
    assert here.asked == 0


async def test_events_of_two_workers_in_one_message_are_put_in_order(here: Recalled) -> None:
    here.feed.begin()
    here.feed.add_past([event(3, 1), event(2, 6), event(3, 2)])
    assert here.feed.kept == [event(3, 1), event(3, 2)]
    here.feed.receive([event(4), event(3, 3)])
    assert here.feed.kept == []


def said(number: int) -> Outgoing:
    return Outgoing(f"{number}", b"x" * 10, events=True)


def test_messages_since_the_confirmation_before_the_last_may_be_lost() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.add(said(1))
    unconfirmed.confirmed()
    unconfirmed.add(said(2))
    unconfirmed.confirmed()
    unconfirmed.add(said(3))
    assert unconfirmed.take() == [said(2), said(3)]
    assert unconfirmed.take() == []


def test_unconfirmed_messages_are_bounded() -> None:
    unconfirmed = Unconfirmed(max_size=100)
    for number in range(1000):
        unconfirmed.add(said(number))
    kept = unconfirmed.take()
    assert kept == [said(number) for number in range(1000 - len(kept), 1000)]
    assert 5 <= len(kept) <= 11


class Servers:
    """Answers requests as servers do; without a server for a stream, not until the stream was deleted."""

    def __init__(self, *gone: str) -> None:
        self.gone = set(gone)
        self.asked: list[str] = []

    async def ask(self, subject: str, data: bytes) -> bytes:
        what = subject.removeprefix("$JS.API.")
        self.asked.append(what)
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
    await a_jetstream().prepare(servers.ask)
    assert servers.asked[:2] == ["STREAM.CREATE.a_RUNS", "CONSUMER.CREATE.a_RUNS.workers"]
    assert servers.asked[2:] == ["STREAM.CREATE.a_EV", "STREAM.DELETE.a_EV", "STREAM.CREATE.a_EV"]


async def test_no_stream_is_deleted_while_the_servers_elect_a_leader() -> None:
    servers = Servers("a_RUNS", "a_EV")
    with pytest.raises(TimeoutError):
        await a_jetstream().prepare(servers.ask)
    assert servers.asked == ["STREAM.CREATE.a_RUNS", "STREAM.CREATE.a_EV"]
