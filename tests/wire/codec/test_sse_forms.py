"""Frames of the usual form are read at one go; that gives what reading line by line gives."""

from hypothesis import given
from hypothesis import strategies as st

from runstead.wire.codec.sse import Decoder

LINES = [
    b"id: 1",
    b"id:2",
    b"event: a",
    b"event:b",
    b"event: ",
    b"data: x",
    b"data:",
    b"data: y z",
    b": ping",
    b"",
    b"?",
]
ENDS = [b"\n", b"\n\n", b"\r\n", b"\r"]


@given(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS))))
def test_both_ways_of_reading_agree(parts: list[tuple[bytes, bytes]]) -> None:
    wire = b"".join(line + end for line, end in parts)
    assert Decoder().feed(wire) == Decoder()._others(wire)
