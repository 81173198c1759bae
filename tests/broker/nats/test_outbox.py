"""The outbox: the order of messages, their pace, and what is sent again after a broken connection."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runstead.broker.nats.messages import unpack
from runstead.broker.nats.outbox import MANY, SPAN, Outbox, Outgoing, Pace, Unconfirmed
from runstead.wire.event import EventName, Position, RawEvent

STEP = 0.001
"""Seconds between two ticks of the simulation."""


def event(seq: int, delta: int = 0, data: bytes = b"{}") -> RawEvent:
    return RawEvent(Position(seq, delta), EventName.MESSAGE_DELTA if delta else EventName.RUN_QUEUED, data)


def test_waiting_events_of_a_run_are_joined_but_never_pass_a_subscription() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.publish("a", [event(1)])
    outbox.publish("b", [event(1)])
    outbox.publish("a", [event(2)])
    outbox.put("subscribe")
    outbox.publish("a", [event(3)])
    sent = [
        (each.subject, [one.at.seq for one in unpack(each.data)]) if isinstance(each, Outgoing) else each
        for each in outbox.drain()
    ]
    assert sent == [("a", [1, 2]), ("b", [1]), "subscribe", ("a", [3])]
    assert outbox.drain() == []


def test_a_full_outbox_drops_events_and_nothing_else() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.put("subscribe")
    big = event(1, data=b"x" * 1_000_000)
    assert [outbox.publish("a", [big]) for _ in range(17)] == [True] * 16 + [False]
    assert len(outbox.drain()) == 2


def messages(runs: int, each: int, seconds: float) -> tuple[int, float]:
    """How many messages a process sends whose runs publish a delta every `each` ms, and the longest delay."""
    outbox: Outbox[str] = Outbox()
    pace = Pace(0)
    now = next_send = longest = 0.0
    published = dict.fromkeys(range(runs), 0)
    since: float | None = None
    sent = 0
    for tick in range(round(seconds / STEP)):
        now = tick * STEP
        for run in range(runs):
            if (tick + run) % each == 0:
                published[run] += 1
                outbox.publish(f"run_{run}", [RawEvent(Position(1, published[run]), EventName.MESSAGE_DELTA, b"{}")])
                since = now if since is None else since
        if now >= next_send and since is not None:
            longest, since = max(longest, now - since), None
            batch = len(outbox.drain())
            sent += batch
            next_send = now + pace.pause(now, batch)
    return sent, longest


@pytest.mark.parametrize(("runs", "each"), [(1, 20), (1, 1), (40, 20), (20, 10)])
def test_few_messages_leave_at_once(runs: int, each: int) -> None:
    sent, longest = messages(runs, each, 1.0)
    assert sent == pytest.approx(1000 / each * runs, abs=runs)
    assert longest == 0


@pytest.mark.parametrize(("runs", "each"), [(100, 1), (20, 2), (200, 5), (300, 20)])
def test_many_events_of_a_run_leave_as_one_message(runs: int, each: int) -> None:
    sent, longest = messages(runs, each, 1.0)
    assert sent < 0.75 * 1000 / each * runs or runs > MANY, "fewer messages than deltas"
    assert sent <= (MANY + 2 * runs) * (1 / SPAN + 1), "whatever the speed of the models"
    assert longest <= SPAN + STEP


@given(some.lists(some.tuples(some.floats(0, 0.03), some.integers(0, 100)), max_size=50))
def test_no_message_waits_longer_than_a_span(
    batches: list[tuple[float, int]],
) -> None:
    pace = Pace(0)
    now, sent = 0.0, [(0.0, 0)]
    for later, more in batches:
        now += later
        sent.append((now, more))
        pause = pace.pause(now, more)
        assert 0 <= pause <= SPAN + 1e-9
        lately = sum(count for at, count in sent if at > now - SPAN)
        if pause:
            assert lately > MANY
        now += pause


def message(number: int) -> Outgoing:
    return Outgoing(f"{number}", b"x" * 10, events=True)


def test_messages_since_the_confirmation_before_the_last_may_be_lost() -> None:
    unconfirmed = Unconfirmed()
    unconfirmed.add(message(1))
    unconfirmed.confirmed()
    unconfirmed.add(message(2))
    unconfirmed.confirmed()
    unconfirmed.add(message(3))
    assert unconfirmed.drain() == [message(2), message(3)]
    assert unconfirmed.drain() == []


def test_unconfirmed_messages_are_bounded() -> None:
    unconfirmed = Unconfirmed(max_size=100)
    for number in range(1000):
        unconfirmed.add(message(number))
    kept = unconfirmed.drain()
    assert kept == [message(number) for number in range(1000 - len(kept), 1000)]
    assert 5 <= len(kept) <= 11
