"""A request is retried only when that cannot do its work twice."""

import pytest

from runstead.client.http.retries import ErrorResponse, RetryPolicy, RetryState, ServerFeatures, backoff

POLICY = RetryPolicy(2)
STATUSES = (400, 401, 404, 408, 409, 413, 422, 429, 500, 502, 503)


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_the_status_decides_about_a_retry(status: int, *, repeatable: bool) -> None:
    pause = POLICY.delay_after_error(1, ErrorResponse(status), repeatable=repeatable)
    retried = status == 429 or (repeatable and (status == 408 or status >= 500))
    assert (pause is not None) == retried


@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize("status", STATUSES)
def test_x_should_retry_overrides_the_status(status: int, *, repeatable: bool) -> None:
    yes, no = (ErrorResponse(status, should_retry=word) for word in (True, False))
    assert POLICY.delay_after_error(1, yes, repeatable=repeatable) is not None
    assert POLICY.delay_after_error(1, no, repeatable=repeatable) is None


def test_a_503_with_retry_after_was_not_carried_out() -> None:
    assert POLICY.delay_after_error(1, ErrorResponse(503, retry_after=2.0), repeatable=False) == 2.0
    assert POLICY.delay_after_error(1, ErrorResponse(500, retry_after=2.0), repeatable=False) is None


@pytest.mark.parametrize(("asked", "pause"), [(0.0, 0.0), (60.0, 60.0), (60.1, None), (86400.0, None)])
def test_retry_after_is_followed_up_to_a_minute(asked: float, pause: float | None) -> None:
    assert POLICY.delay_after_error(1, ErrorResponse(429, retry_after=asked), repeatable=True) == pause


@pytest.mark.parametrize(
    ("never_sent", "repeatable", "retried"),
    [(True, True, True), (True, False, True), (False, True, True), (False, False, False)],
)
def test_after_a_disconnect_only_unsent_or_idempotent_requests_are_retried(
    *, never_sent: bool, repeatable: bool, retried: bool
) -> None:
    assert (POLICY.delay_after_disconnect(1, never_sent=never_sent, repeatable=repeatable) is not None) == retried


def test_retries_are_bounded() -> None:
    assert POLICY.delay_after_disconnect(2, never_sent=True, repeatable=True) is not None
    assert POLICY.delay_after_disconnect(3, never_sent=True, repeatable=True) is None
    assert POLICY.delay_after_error(3, ErrorResponse(429), repeatable=True) is None
    assert RetryPolicy(0).delay_after_disconnect(1, never_sent=True, repeatable=True) is None


def test_backoff_doubles_up_to_a_limit_with_jitter() -> None:
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


@pytest.mark.parametrize(("supports_idempotency", "retried"), [(True, True), (None, True), (False, False)])
def test_a_request_of_unknown_outcome_is_retried_unless_the_server_keeps_no_keys(
    *, supports_idempotency: bool | None, retried: bool
) -> None:
    lost, refused = (RetryState(POLICY, features(supports_idempotency), repeatable=False) for _ in range(2))
    assert (lost.disconnected(LOST, never_sent=False) is not None) == retried
    assert (refused.failed(LOST, ErrorResponse(500)) is not None) == retried
    assert lost.outcome_unknown is refused.outcome_unknown is LOST


def test_an_unknown_outcome_stays_unknown_after_the_next_attempt() -> None:
    state = RetryState(POLICY, features(None), repeatable=False)
    state.disconnected(LOST, never_sent=False)
    assert state.failed(REFUSED, ErrorResponse(429)) is not None
    assert state.outcome_unknown is LOST
    state = RetryState(POLICY, features(False), repeatable=False)
    state.disconnected(LOST, never_sent=False)
    assert state.disconnected(REFUSED, never_sent=True) is None


def test_a_request_that_was_not_carried_out_has_a_known_outcome() -> None:
    state = RetryState(POLICY, features(False), repeatable=False)
    assert state.disconnected(LOST, never_sent=True) is not None
    assert state.failed(REFUSED, ErrorResponse(503, retry_after=1.0)) == 1.0
    assert state.outcome_unknown is None


def test_the_outcome_of_an_idempotent_request_does_not_matter() -> None:
    state = RetryState(POLICY, features(False), repeatable=True)
    assert state.disconnected(LOST, never_sent=False) is not None
    assert state.outcome_unknown is None


def test_a_server_that_announced_idempotency_keys_once_keeps_them() -> None:
    server = ServerFeatures()
    known = []
    for status, supports_idempotency in ((502, False), (408, False), (200, False), (500, True), (404, False)):
        server.observe(status, supports_idempotency=supports_idempotency)
        known.append(server.supports_idempotency)
    assert known == [None, None, False, True, True]
