"""A run's feed merges the kept deltas and the live events: each arrives once and in order."""

import asyncio

import pytest

from runstead.broker.backlog import Backlog
from runstead.broker.kept_deltas import KeptDeltas
from runstead.broker.nats.run_feed import RunFeed
from runstead.broker.subscriber import Subscriber
from runstead.wire.event import EventName, Position, RawEvent
from tests.support.deltas import all_events


def event(seq: int, delta: int = 0, data: bytes = b"{}") -> RawEvent:
    return RawEvent(Position(seq, delta), EventName.MESSAGE_DELTA if delta else EventName.RUN_QUEUED, data)


def kept(probe: "FeedProbe") -> list[RawEvent]:
    return all_events(probe.feed.kept)


class FeedProbe:
    """A feed with one subscriber. It counts the requests for kept deltas."""

    def __init__(self) -> None:
        self.requests = 0
        self.feed = RunFeed(self._request)
        self.subscriber = Subscriber(60, KeptDeltas(), Backlog())
        self.feed.subscribers.add(self.subscriber)

    def _request(self) -> None:
        self.requests += 1

    def received(self) -> list[RawEvent] | None:
        if self.subscriber._must_read:
            self.subscriber._must_read = False
            return None
        events, self.subscriber._waiting = self.subscriber._waiting, []
        return events


@pytest.fixture
async def here() -> FeedProbe:
    return FeedProbe()


async def test_events_that_arrive_before_the_kept_deltas_wait_for_them(here: FeedProbe) -> None:
    here.feed.catch_up()
    here.feed.receive([event(2, 3)])
    assert here.received() == []
    here.feed.add_kept([event(2), event(2, 1), event(2, 2), event(2, 3)])
    assert here.received() == [event(2, 1), event(2, 2), event(2, 3)]
    assert kept(here) == [event(2, 1), event(2, 2), event(2, 3)]


async def test_a_stored_event_that_arrives_before_the_kept_deltas_is_delivered(here: FeedProbe) -> None:
    here.feed.catch_up()
    here.feed.receive([event(2, 3)])
    here.feed.receive([event(3)])
    here.feed.add_kept([event(3)])
    assert (here.received(), here.requests) == ([event(2, 3), event(3)], 1)
    assert kept(here) == []


async def test_a_gap_is_requested_three_times_and_then_left_to_the_store(here: FeedProbe) -> None:
    here.feed.receive([event(2, 1)])
    here.feed.receive([event(2, 3)])
    assert here.received() == [event(2, 1)]
    here.feed.add_kept([event(2), event(2, 1), event(2, 2), event(2, 3)])
    assert (here.received(), here.requests) == ([event(2, 2), event(2, 3)], 1)
    here.feed.receive([event(2, 9)])
    for _ in range(3):
        assert here.received() == []
        here.feed.add_kept([])
    assert (here.received(), here.requests) == ([event(2, 9)], 4)


async def test_events_missed_during_a_disconnection_arrive_once(here: FeedProbe) -> None:
    here.feed.receive([event(2, 1)])
    here.feed.catch_up()
    here.feed.add_kept([event(2, 1), event(2, 2)])
    assert here.received() == [event(2, 1), event(2, 2)]


async def test_an_unreadable_message_makes_subscribers_read_the_store(here: FeedProbe) -> None:
    here.feed.receive_message(b"\xff")
    assert here.received() is None
    await asyncio.sleep(0)


async def test_deltas_of_a_worker_that_lost_the_run_are_ignored(here: FeedProbe) -> None:
    here.feed.receive([event(2, 1), event(2, 2)])
    here.feed.receive([event(3)])
    here.feed.receive([event(5), event(5, 1)])
    assert here.received() == [event(2, 1), event(2, 2), event(3), event(5), event(5, 1)]
    here.feed.receive([event(2, 3)])
    here.feed.receive([event(5, 1), event(5, 2)])
    assert here.received() == [event(5, 2)]
    assert kept(here) == [event(5, 1), event(5, 2)]
    assert here.requests == 0


async def test_events_of_two_workers_in_one_message_are_put_in_order(here: FeedProbe) -> None:
    here.feed.catch_up()
    here.feed.add_kept([event(3, 1), event(2, 6), event(3, 2)])
    assert kept(here) == [event(3, 1), event(3, 2)]
    here.feed.receive([event(4), event(3, 3)])
    assert kept(here) == []
