"""How soon events leave: at once when little is said, together when much is, and never later than promised."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from runstead.broker.nats.outbox import MANY, SPAN, Outbox, Pace
from runstead.wire.event import EventName, Position, RawEvent

STEP = 0.001


def messages(runs: int, each: int, seconds: float) -> tuple[int, float]:
    """What a process sends whose runs each say a delta every so many milliseconds, and the longest delay."""
    outbox: Outbox[str] = Outbox()
    pace = Pace(0)
    now = until = longest = 0.0
    said = dict.fromkeys(range(runs), 0)
    since: float | None = None
    sent = 0
    for tick in range(round(seconds / STEP)):
        now = tick * STEP
        for run in range(runs):
            if (tick + run) % each == 0:
                said[run] += 1
                outbox.publish(f"run_{run}", [RawEvent(Position(1, said[run]), EventName.MESSAGE_DELTA, b"{}")])
                since = now if since is None else since
        if now >= until and since is not None:
            longest, since = max(longest, now - since), None
            taken = len(outbox.take())
            sent += taken
            until = now + pace.pause(now, taken)
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
    assert sent <= (MANY + 2 * runs) * (1 / SPAN + 1), "however fast the models are"
    assert longest <= SPAN + STEP


@given(some.lists(some.tuples(some.floats(0, 0.03), some.integers(0, 100)), max_size=50))
def test_no_message_waits_longer_than_a_span(
    story: list[tuple[float, int]],
) -> None:
    pace = Pace(0)
    now, sent = 0.0, [(0.0, 0)]
    for later, more in story:
        now += later
        sent.append((now, more))
        pause = pace.pause(now, more)
        assert 0 <= pause <= SPAN + 1e-9
        lately = sum(count for at, count in sent if at > now - SPAN)
        if pause:
            assert lately > MANY
        now += pause
