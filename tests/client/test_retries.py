"""A request is sent again only when that cannot do its work twice."""

import pytest

from runstead.client.http.retries import ErrorResponse, RetryPolicy, RetryState, ServerFeatures, backoff

POLICY = RetryPolicy(2)
STATUSES = (400, 401, 404, 408, 409, 413, 422, 429, 500, 502, 503)


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_the_status_decides(status: int, *, repeatable: bool) -> None:
    pause = POLICY.delay_after_error(1, ErrorResponse(status), repeatable=repeatable)
    again = status == 429 or (repeatable and (status == 408 or status >= 500))
    assert (pause is not None) == again


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_the_server_has_the_last_word(status: int, *, repeatable: bool) -> None:
    yes, no = (ErrorResponse(status, should_retry=word) for word in (True, False))
    assert POLICY.delay_after_error(1, yes, repeatable=repeatable) is not None
    assert POLICY.delay_after_error(1, no, repeatable=repeatable) is None


def test_a_server_that_is_away_for_a_time_has_done_nothing() -> None:
    assert POLICY.delay_after_error(1, ErrorResponse(503, retry_after=2.0), repeatable=False) == 2.0
    assert POLICY.delay_after_error(1, ErrorResponse(500, retry_after=2.0), repeatable=False) is None


@pytest.mark.parametrize(("wish", "pause"), [(0.0, 0.0), (60.0, 60.0), (60.1, None), (86400.0, None)])
def test_a_wish_is_granted_up_to_a_minute(wish: float, pause: float | None) -> None:
    assert POLICY.delay_after_error(1, ErrorResponse(429, retry_after=wish), repeatable=True) == pause


@pytest.mark.parametrize(
    ("never_sent", "repeatable", "again"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
)
def test_what_may_have_arrived_is_repeated_only_if_that_is_harmless(
    *, never_sent: bool, repeatable: bool, again: bool
) -> None:
    assert (POLICY.delay_after_disconnect(1, never_sent=never_sent, repeatable=repeatable) is not None) == again


def test_tries_are_bounded() -> None:
    assert POLICY.delay_after_disconnect(2, never_sent=True, repeatable=True) is not None
    assert POLICY.delay_after_disconnect(3, never_sent=True, repeatable=True) is None
    assert POLICY.delay_after_error(3, ErrorResponse(429), repeatable=True) is None
    assert RetryPolicy(0).delay_after_disconnect(1, never_sent=True, repeatable=True) is None


def test_pauses_double_up_to_a_limit_and_are_spread() -> None:
    for tried in range(1, 12):
        whole = min(0.25 * 2 ** (tried - 1), 5.0)
        pauses = {backoff(tried) for _ in range(50)}
        assert all(0.75 * whole <= pause <= whole for pause in pauses)
        assert len(pauses) > 1


LOST, REFUSED = ConnectionError("cut"), ConnectionError("500")


def features(supports_idempotency: bool | None) -> ServerFeatures:
    found = ServerFeatures()
    found.supports_idempotency = supports_idempotency
    return found


@pytest.mark.parametrize(("supports_idempotency", "again"), [(True, True), (None, True), (False, False)])
def test_what_is_in_doubt_is_tried_again_unless_no_keys_are_kept(
    *, supports_idempotency: bool | None, again: bool
) -> None:
    lost, refused = (RetryState(POLICY, features(supports_idempotency), repeatable=False) for _ in range(2))
    assert (lost.disconnected(LOST, never_sent=False) is not None) == again
    assert (refused.failed(LOST, ErrorResponse(500)) is not None) == again
    assert lost.outcome_unknown is refused.outcome_unknown is LOST


def test_a_doubt_stays_whatever_comes_of_the_next_try() -> None:
    state = RetryState(POLICY, features(None), repeatable=False)
    state.disconnected(LOST, never_sent=False)
    assert state.failed(REFUSED, ErrorResponse(429)) is not None
    assert state.outcome_unknown is LOST
    state = RetryState(POLICY, features(False), repeatable=False)
    state.disconnected(LOST, never_sent=False)
    assert state.disconnected(REFUSED, never_sent=True) is None


def test_what_was_surely_not_carried_out_leaves_no_doubt() -> None:
    state = RetryState(POLICY, features(False), repeatable=False)
    assert state.disconnected(LOST, never_sent=True) is not None
    assert state.failed(REFUSED, ErrorResponse(503, retry_after=1.0)) == 1.0
    assert state.outcome_unknown is None


def test_what_may_be_repeated_anyway_leaves_no_doubt() -> None:
    state = RetryState(POLICY, features(False), repeatable=True)
    assert state.disconnected(LOST, never_sent=False) is not None
    assert state.outcome_unknown is None


def test_a_server_keeps_keys_when_it_says_so_once() -> None:
    server = ServerFeatures()
    told = []
    for status, supports_idempotency in ((502, False), (408, False), (200, False), (500, True), (404, False)):
        server.observe(status, supports_idempotency=supports_idempotency)
        told.append(server.supports_idempotency)
    assert told == [None, None, False, True, True]
