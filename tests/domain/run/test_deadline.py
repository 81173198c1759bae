from typing import Any

import pytest

from runstead.domain.run.deadline import deadline, stop_signal
from runstead.domain.run.lifecycle import TRANSITIONS, Signal
from runstead.wire.run import Status
from tests.domain.things import run


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({}, None),
        ({"expires_at": 700}, 700),
        ({"max_seconds": 50}, 150),
        ({"max_seconds": 50, "expires_at": 700}, 150),
        ({"max_seconds": 5000, "expires_at": 700}, 700),
    ],
)
def test_the_deadline_is_the_earlier_end(fields: dict[str, Any], end: int | None) -> None:
    assert deadline(run(**fields)) == end


@pytest.mark.parametrize(
    ("max_seconds", "signal"), [(599, Signal.RUN_OUT), (600, Signal.RUN_OUT), (601, Signal.EXPIRE)]
)
@pytest.mark.parametrize("late", [0, 10**6])
def test_the_earlier_end_decides_however_late_it_is_checked(max_seconds: int, signal: Signal, late: int) -> None:
    limited = run(expires_at=700, max_seconds=max_seconds)
    assert stop_signal(limited, 100 + min(max_seconds, 600) - 1) is None
    assert stop_signal(limited, 100 + min(max_seconds, 600) + late) is signal


def test_without_an_end_a_run_goes_on() -> None:
    assert stop_signal(run(), 10**12) is None


@pytest.mark.parametrize("now", [100, 10**6])
def test_a_run_that_was_asked_to_stop_has_stopped_whatever_its_time(now: int) -> None:
    assert stop_signal(run(status=Status.CANCELLING, expires_at=700, max_seconds=5), now) is Signal.STOP


@pytest.mark.parametrize("status", [status for status in Status if not status.terminal])
@pytest.mark.parametrize("fields", [{"expires_at": 100}, {"max_seconds": 1}])
def test_every_run_that_has_not_ended_takes_the_signal(status: Status, fields: dict[str, Any]) -> None:
    assert stop_signal(run(status=status, **fields), 101) in TRANSITIONS[status]
