"""A request is sent again only when that cannot do its work twice."""

import pytest

from runstead.client.retries import Answer, Retries, backoff

POLICY = Retries(2)
STATUSES = (400, 401, 404, 408, 409, 413, 422, 429, 500, 502, 503)


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_the_status_decides(status: int, *, repeatable: bool) -> None:
    pause = POLICY.after_answer(1, Answer(status), repeatable=repeatable)
    again = status == 429 or (repeatable and (status == 408 or status >= 500))
    assert (pause is not None) == again


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_the_server_has_the_last_word(status: int, *, repeatable: bool) -> None:
    yes, no = (Answer(status, should_retry=word) for word in (True, False))
    assert POLICY.after_answer(1, yes, repeatable=repeatable) is not None
    assert POLICY.after_answer(1, no, repeatable=repeatable) is None


def test_a_server_that_is_away_for_a_time_has_done_nothing() -> None:
    assert POLICY.after_answer(1, Answer(503, retry_after=2.0), repeatable=False) == 2.0
    assert POLICY.after_answer(1, Answer(500, retry_after=2.0), repeatable=False) is None


@pytest.mark.parametrize(("wish", "pause"), [(0.0, 0.0), (60.0, 60.0), (60.1, None), (86400.0, None)])
def test_a_wish_is_granted_up_to_a_minute(wish: float, pause: float | None) -> None:
    assert POLICY.after_answer(1, Answer(429, retry_after=wish), repeatable=True) == pause


@pytest.mark.parametrize(
    ("never_sent", "repeatable", "again"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
)
def test_what_may_have_arrived_is_repeated_only_if_that_is_harmless(
    *, never_sent: bool, repeatable: bool, again: bool
) -> None:
    assert (POLICY.after_loss(1, never_sent=never_sent, repeatable=repeatable) is not None) == again


def test_tries_are_bounded() -> None:
    assert POLICY.after_loss(2, never_sent=True, repeatable=True) is not None
    assert POLICY.after_loss(3, never_sent=True, repeatable=True) is None
    assert POLICY.after_answer(3, Answer(429), repeatable=True) is None
    assert Retries(0).after_loss(1, never_sent=True, repeatable=True) is None


def test_pauses_double_up_to_a_limit_and_are_spread() -> None:
    for tried in range(1, 12):
        whole = min(0.25 * 2 ** (tried - 1), 5.0)
        pauses = {backoff(tried) for _ in range(50)}
        assert all(0.75 * whole <= pause <= whole for pause in pauses)
        assert len(pauses) > 1
