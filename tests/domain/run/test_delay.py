"""How long a run is delayed by a rate limit of its model's server."""

import pytest

from runstead.domain.run.delay import MAX_DELAY, explained, wait
from runstead.wire.run import LastError

CHANCES = (0.0, 0.3, 0.999)


def test_the_wait_is_the_servers_retry_after_and_up_to_a_quarter_more() -> None:
    assert [wait(20, 0, chance) for chance in CHANCES] == [20, 22, 25]
    assert [wait(20, 5, chance) for chance in CHANCES] == [20, 22, 25], "however often before"


def test_without_a_retry_after_each_delay_is_twice_the_last() -> None:
    assert [wait(None, before, 0.0) for before in (0, 1, 2, 3, 4)] == [2, 4, 8, 16, 32]


@pytest.mark.parametrize("asked", [None, 48.0, 3600.0, 1e9])
def test_a_delay_is_a_minute_at_most_and_varies_at_random(asked: float | None) -> None:
    waits = [wait(asked, 5000, chance / 100) for chance in range(100)]
    assert max(waits) == MAX_DELAY
    assert len(set(waits)) > 10


@pytest.mark.parametrize("asked", [0.0, 0.001])
def test_every_wait_is_a_second_at_least(asked: float) -> None:
    assert wait(asked, 0, 0.0) == 1


@pytest.mark.parametrize("said", ["slow down", "slow down."])
def test_the_error_text_of_the_server_is_a_sentence_of_its_own(said: str) -> None:
    words = explained(LastError(code="rate_limit_exceeded", message=said), 0).message
    assert words == "slow down. The run waits, and goes on at 1970-01-01 00:00:00 UTC."
