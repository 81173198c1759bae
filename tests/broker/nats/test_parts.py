"""The parts that only decide: addresses, messages, the order of the outbox, and how past and present are joined."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runstead.broker.listener import Listener
from runstead.broker.nats.address import Address
from runstead.broker.nats.connection import Connection
from runstead.broker.nats.jetstream import JetStream
from runstead.broker.nats.naming import Naming
from runstead.broker.nats.outbox import Outbox, Said
from runstead.broker.nats.packing import pack, since_stored, unpack
from runstead.broker.nats.topic import Topic
from runstead.broker.nats.unconfirmed import Unconfirmed
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
def test_an_address_is_its_servers_and_who_we_are(
    url: str, servers: tuple[str, ...], told: tuple[str | None, ...]
) -> None:
    address = Address.parse(url)
    assert address.servers == servers
    assert (address.user, address.password, address.token) == told
    assert repr(address) == ",".join(servers)


@pytest.mark.parametrize(
    "url", ["", "nats://", "http://a", "nats://a/path", "nats://hush@", "nats://me:hush", "nats://[a"]
)
def test_what_is_no_address_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match=r"^The URL of NATS is of the form nats://host:4222, or tls://host:4222\.$"):
        Address.parse(url)


EVENTS = some.lists(
    some.builds(event, some.integers(0, 5), some.integers(0, 5), some.integers(0, 400).map(lambda n: b"x" * n * 1000))
)


@given(EVENTS)
def test_events_come_out_of_messages_as_they_went_in(events: list[RawEvent]) -> None:
    messages = list(pack(events))
    assert [each for data, _ in messages for each in unpack(data)] == events
    assert all(len(data) < 1_000_000 for data, _ in messages)
    for data, fresh in messages:
        assert fresh == any(not each.at.delta for each in unpack(data))


def test_a_message_that_cannot_be_read_is_one_that_was_dropped() -> None:
    assert unpack(b"") == unpack(b"\xff") == unpack(b"\x91\x93\x92\x01\x00\xa3new\xc4\x00") == []


def test_only_the_deltas_behind_the_last_stored_event_are_kept() -> None:
    assert since_stored([event(1, 1), event(2), event(2, 1)]) == [event(2, 1)]
    assert since_stored([event(1, 1), event(2)]) == []
    assert since_stored([event(1, 1)]) == [event(1, 1)]


def test_events_of_a_run_that_wait_together_leave_together_but_not_past_a_subscription() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.tell("a", [event(1)])
    outbox.tell("b", [event(1)])
    outbox.tell("a", [event(2)])
    outbox.put("subscribe")
    outbox.tell("a", [event(3)])
    taken = [
        (each.subject, [told.at.seq for told in unpack(each.data)]) if isinstance(each, Said) else each
        for each in outbox.take()
    ]
    assert taken == [("a", [1, 2]), ("b", [1]), "subscribe", ("a", [3])]
    assert outbox.take() == []


def test_too_many_events_are_dropped_and_nothing_else() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put("subscribe")
    big = event(1, data=b"x" * 1_000_000)
    assert [outbox.tell("a", [big]) for _ in range(17)] == [True] * 16 + [False]
    assert len(outbox.take()) == 2


class Recalled:
    """A topic with a listener, and how often the server was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.topic = Topic(self._ask)
        self.listener = Listener((), 60)
        self.topic.listeners.add(self.listener)

    def _ask(self) -> None:
        self.asked += 1

    def heard(self) -> list[RawEvent] | None:
        if self.listener._look:
            self.listener._look = False
            return None
        events, self.listener._waiting = self.listener._waiting, []
        return events


@pytest.fixture
async def here() -> Recalled:
    return Recalled()


async def test_what_comes_before_the_answer_waits_for_it(here: Recalled) -> None:
    here.topic.begin()
    here.topic.hear([event(2, 3)])
    assert here.heard() == []
    here.topic.join([event(2), event(2, 1), event(2, 2), event(2, 3)])
    assert here.heard() == [event(2, 1), event(2, 2), event(2, 3)]
    assert here.topic.kept == [event(2, 1), event(2, 2), event(2, 3)]


async def test_a_stored_event_that_came_meanwhile_is_told(here: Recalled) -> None:
    here.topic.begin()
    here.topic.hear([event(2, 3)])
    here.topic.hear([event(3)])
    here.topic.join([event(3)])
    assert (here.heard(), here.asked) == ([event(2, 3), event(3)], 1)
    assert here.topic.kept == []


async def test_a_hole_is_asked_about_and_then_left_to_the_store(here: Recalled) -> None:
    here.topic.hear([event(2, 1)])
    here.topic.hear([event(2, 3)])
    assert here.heard() == [event(2, 1)]
    here.topic.join([event(2), event(2, 1), event(2, 2), event(2, 3)])
    assert (here.heard(), here.asked) == ([event(2, 2), event(2, 3)], 1)
    here.topic.hear([event(2, 9)])
    for _ in range(3):
        assert here.heard() == []
        here.topic.join([])
    assert (here.heard(), here.asked) == ([event(2, 9)], 4)


async def test_what_was_missed_while_the_connection_was_away_is_told_once(here: Recalled) -> None:
    here.topic.hear([event(2, 1)])
    here.topic.begin()
    here.topic.join([event(2, 1), event(2, 2)])
    assert here.heard() == [event(2, 1), event(2, 2)]


async def test_a_message_that_cannot_be_read_sends_listeners_to_the_store(here: Recalled) -> None:
    here.topic.receive(b"\xff")
    assert here.heard() is None
    await asyncio.sleep(0)


async def test_a_run_that_was_lost_tells_its_listeners_nothing_more(here: Recalled) -> None:
    here.topic.hear([event(2, 1), event(2, 2)])
    here.topic.hear([event(3)])
    here.topic.hear([event(5), event(5, 1)])
    assert here.heard() == [event(2, 1), event(2, 2), event(3), event(5), event(5, 1)]
    here.topic.hear([event(2, 3)])
    here.topic.hear([event(5, 1), event(5, 2)])
    assert here.heard() == [event(5, 2)]
    assert here.topic.kept == [event(5, 1), event(5, 2)]
    assert here.asked == 0


async def test_what_two_told_in_one_message_is_put_in_order(here: Recalled) -> None:
    here.topic.begin()
    here.topic.join([event(3, 1), event(2, 6), event(3, 2)])
    assert here.topic.kept == [event(3, 1), event(3, 2)]
    here.topic.hear([event(4), event(3, 3)])
    assert here.topic.kept == []


def said(number: int) -> Said:
    return Said(f"{number}", b"x" * 10, events=True)


def test_what_may_be_lost_is_what_was_sent_since_the_confirmation_before_the_last() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.add(said(1))
    unconfirmed.confirmed()
    unconfirmed.add(said(2))
    unconfirmed.confirmed()
    unconfirmed.add(said(3))
    assert unconfirmed.take() == [said(2), said(3)]
    assert unconfirmed.take() == []


def test_no_more_than_a_limit_may_be_sent_again() -> None:
    unconfirmed = Unconfirmed(most=100)
    for number in range(1000):
        unconfirmed.add(said(number))
    kept = unconfirmed.take()
    assert kept == [said(number) for number in range(1000 - len(kept), 1000)]
    assert 5 <= len(kept) <= 11


class Servers:
    """Answers to what is asked for; silence where a server is gone for good, until its stream was deleted."""

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
    return JetStream(Connection(Address.parse("nats://nowhere")), Naming("a"), 3, 1000)


async def test_open_messages_move_to_another_server_when_theirs_is_gone() -> None:
    servers = Servers("a_EV")
    await a_jetstream().prepare(servers.ask)
    assert servers.asked[:2] == ["STREAM.CREATE.a_RUNS", "CONSUMER.CREATE.a_RUNS.workers"]
    assert servers.asked[2:] == ["STREAM.CREATE.a_EV", "STREAM.DELETE.a_EV", "STREAM.CREATE.a_EV"]


async def test_nothing_is_given_up_while_servers_have_no_leader() -> None:
    servers = Servers("a_RUNS", "a_EV")
    with pytest.raises(TimeoutError):
        await a_jetstream().prepare(servers.ask)
    assert servers.asked == ["STREAM.CREATE.a_RUNS", "STREAM.CREATE.a_EV"]
