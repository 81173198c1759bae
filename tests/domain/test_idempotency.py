"""Which request is a retry of an earlier one."""

import pytest

from runstead.domain.idempotency import (
    DAY,
    MINUTE,
    RETRIES,
    IdempotentRequest,
    digest,
    is_retry,
    last_request_key,
    with_key,
    with_retry_count,
)
from runstead.wire.error import BadRequest
from runstead.wire.idempotency import retry_key

SAME, OTHER = digest(b"this"), digest(b"that")


@pytest.mark.parametrize("key", ["k", "order 17", "x" * 255, "~!{}"])
def test_a_key_is_kept_for_a_day(key: str) -> None:
    request = with_key(key, SAME)
    assert (request.lifetime, request.digest, request.creates_thread) == (DAY, SAME, False)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "\x7f", "Schlüssel"])
def test_a_key_is_up_to_255_printable_characters(key: str) -> None:
    with pytest.raises(BadRequest, match="1 to 255 printable") as raised:
        with_key(key, SAME)
    assert (raised.value.param, raised.value.code) == ("Idempotency-Key", "invalid_idempotency_key")


def test_a_key_belongs_to_one_request() -> None:
    assert is_retry(with_key("k", SAME), SAME, ambiguous=False)
    with pytest.raises(BadRequest, match="use a new key") as raised:
        is_retry(with_key("k", OTHER), SAME, ambiguous=False)
    assert raised.value.code == "idempotency_key_reused"


@pytest.mark.parametrize("thread_id", ["thread_1", None])
def test_only_a_counted_retry_of_the_same_request_is_a_retry(thread_id: str | None) -> None:
    assert not is_retry(with_retry_count(0, SAME, thread_id), SAME, ambiguous=False)
    assert is_retry(with_retry_count(1, SAME, thread_id), SAME, ambiguous=False)
    assert not is_retry(with_retry_count(1, OTHER, thread_id), SAME, ambiguous=False)


def test_an_ambiguous_retry_is_carried_out() -> None:
    assert not is_retry(with_retry_count(1, SAME, None), SAME, ambiguous=True)


def test_a_thread_has_one_record_for_its_last_request() -> None:
    first, second = with_retry_count(0, SAME, "thread_1"), with_retry_count(0, OTHER, "thread_1")
    assert first.key == second.key == last_request_key("thread_1")
    assert first.lifetime == MINUTE
    assert with_retry_count(0, SAME, "thread_2").key != first.key


def test_a_request_without_a_thread_is_recognised_by_its_digest() -> None:
    assert with_retry_count(0, SAME, None).key == with_retry_count(2, SAME, None).key
    assert with_retry_count(0, SAME, None).key != with_retry_count(0, OTHER, None).key


def test_no_client_key_collides_with_a_record_of_another_kind() -> None:
    kinds: list[IdempotentRequest] = [with_retry_count(0, SAME, "thread_1"), with_retry_count(0, SAME, None)]
    assert not {with_key(each.key, SAME).key for each in kinds} & {each.key for each in kinds}


def test_a_digest_depends_on_where_its_parts_end() -> None:
    requests = [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc"), (b"1 a", b"bc")]
    assert len({digest(*parts) for parts in requests}) == len(requests)
    assert digest(b"ab", b"c") == digest(b"ab", b"c")


def test_a_key_that_a_client_made_for_its_own_retries_is_kept_for_minutes() -> None:
    assert with_key(retry_key(b"0" * 16), SAME).lifetime == RETRIES
    assert with_key("order 17", SAME).lifetime == DAY
    assert with_key("retry-17", SAME).lifetime == DAY
