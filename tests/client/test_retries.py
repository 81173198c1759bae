"""A request is sent again only when that cannot do its work twice."""

import pytest

from runstead.client.retries import Answer, Habits, Retries, Tries, backoff

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


LOST, REFUSED = ConnectionError("cut"), ConnectionError("500")


def habits(keeps_keys: bool | None) -> Habits:
    found = Habits()
    found.keeps_keys = keeps_keys
    return found


@pytest.mark.parametrize(("keeps_keys", "again"), [(True, True), (None, True), (False, False)])
def test_what_is_in_doubt_is_tried_again_unless_no_keys_are_kept(*, keeps_keys: bool | None, again: bool) -> None:
    lost, refused = (Tries(POLICY, habits(keeps_keys), repeatable=False) for _ in range(2))
    assert (lost.lost(LOST, never_sent=False) is not None) == again
    assert (refused.refused(LOST, Answer(500)) is not None) == again
    assert lost.doubt is refused.doubt is LOST


def test_a_doubt_stays_whatever_comes_of_the_next_try() -> None:
    tries = Tries(POLICY, habits(None), repeatable=False)
    tries.lost(LOST, never_sent=False)
    assert tries.refused(REFUSED, Answer(429)) is not None
    assert tries.doubt is LOST
    tries = Tries(POLICY, habits(False), repeatable=False)
    tries.lost(LOST, never_sent=False)
    assert tries.lost(REFUSED, never_sent=True) is None


def test_what_was_surely_not_carried_out_leaves_no_doubt() -> None:
    tries = Tries(POLICY, habits(False), repeatable=False)
    assert tries.lost(LOST, never_sent=True) is not None
    assert tries.refused(REFUSED, Answer(503, retry_after=1.0)) == 1.0
    assert tries.doubt is None


def test_what_may_be_repeated_anyway_leaves_no_doubt() -> None:
    tries = Tries(POLICY, habits(False), repeatable=True)
    assert tries.lost(LOST, never_sent=False) is not None
    assert tries.doubt is None


def test_a_server_keeps_keys_when_it_says_so_once() -> None:
    server = Habits()
    told = []
    for status, keeps_keys in ((502, False), (408, False), (200, False), (500, True), (404, False)):
        server.notice(status, keeps_keys=keeps_keys)
        told.append(server.keeps_keys)
    assert told == [None, None, False, True, True]
