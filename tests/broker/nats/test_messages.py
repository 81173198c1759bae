"""Events are packed into messages below the servers' limit."""

from hypothesis import given
from hypothesis import strategies as some

from runstead.broker.nats.messages import pack, since_stored, unpack
from runstead.wire.event import EventName, Position, RawEvent


def event(seq: int, delta: int = 0, data: bytes = b"{}") -> RawEvent:
    return RawEvent(Position(seq, delta), EventName.MESSAGE_DELTA if delta else EventName.RUN_QUEUED, data)


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
