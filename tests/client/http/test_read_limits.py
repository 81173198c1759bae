"""The limits of one response: its time and the size of its head."""

from time import monotonic

import httpcore2
import pytest

from runstead.client.deadline import CallTime, Deadline
from runstead.client.http.read_limits import MAX_HEAD, ReadLimits


def test_a_read_may_take_the_time_that_is_left() -> None:
    limits = ReadLimits()
    assert limits.reading(None) is None
    assert limits.reading(3.0) == 3.0
    limits.begin(monotonic() + 100)
    assert limits.reading(3.0) == 3.0
    assert 99 < (limits.reading(None) or 0) <= 100


def test_a_read_after_the_deadline_times_out_though_bytes_may_be_there() -> None:
    limits = ReadLimits()
    limits.begin(monotonic())
    with pytest.raises(httpcore2.ReadTimeout):
        limits.reading(3.0)


def test_the_time_of_an_answer_begins_with_its_first_read() -> None:
    limits = ReadLimits()
    limits.begin(None, answer_seconds=50)
    assert limits.left(None) is None
    assert 49 < (limits.reading(None) or 0) <= 50
    limits.begin(monotonic() + 10, answer_seconds=50)
    assert (limits.reading(None) or 0) <= 10


def test_a_head_has_a_limit_and_a_body_none() -> None:
    limits = ReadLimits()
    limits.begin(None)
    limits.received(MAX_HEAD)
    with pytest.raises(httpcore2.RemoteProtocolError, match="256 KiB"):
        limits.received(1)
    limits.begin(None)
    limits.head_complete()
    assert limits.head_left is None


def test_a_call_ends_with_its_own_time_or_with_the_deadline_around_it() -> None:
    assert CallTime(5, None).remaining <= 5
    assert CallTime(50, Deadline(5)).remaining <= 5
    assert CallTime(5, Deadline(50)).remaining <= 5


def test_an_upload_has_its_time_after_it_was_sent() -> None:
    upload = CallTime(5, None, upload=True)
    assert (upload.until, upload.answer_seconds, upload.over) == (None, 5, False)
    within = Deadline(50)
    assert CallTime(5, within, upload=True).until == within.at
