import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.wire.codec.sse import DONE_FRAME, PING, Decoder, Frame, encode
from runstead.wire.event import EventName, Position, RawEvent

DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
).map(lambda value: json.dumps(value, ensure_ascii=False).encode())
RAW_EVENTS = st.builds(
    RawEvent,
    st.builds(Position, st.integers(1, 10**6), st.integers(0, 10**6)),
    st.sampled_from(EventName),
    DATA.filter(lambda data: b"\r" not in data and b"\n" not in data),
)


def decoded(wire: bytes, cuts: list[int]) -> list[Frame]:
    """The frames of a wire that arrives cut at these places."""
    places = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    decoder = Decoder()
    return [frame for here, there in itertools.pairwise(places) for frame in decoder.feed(wire[here:there])]


def as_frame(event: RawEvent) -> Frame:
    return Frame(event.name, event.data, str(event.at))


def test_a_frame_has_the_contracts_lines() -> None:
    event = RawEvent(Position(17, 4), EventName.MESSAGE_DELTA, b'{"a":1}')
    assert encode(event) == b'id: 17.4\nevent: thread.message.delta\ndata: {"a":1}\n\n'


def test_a_stored_event_has_a_whole_number_for_its_id() -> None:
    assert encode(RawEvent(Position(3), EventName.RUN_QUEUED, b"{}")).startswith(b"id: 3\n")


def test_the_last_frame_is_done() -> None:
    assert DONE_FRAME == b"event: done\ndata: [DONE]\n\n"
    assert Decoder().feed(DONE_FRAME) == [Frame("done", b"[DONE]", None)]


@given(st.lists(RAW_EVENTS, max_size=5), st.lists(st.integers(0), max_size=20))
def test_frames_come_out_as_they_went_in_wherever_they_are_cut(events: list[RawEvent], cuts: list[int]) -> None:
    wire = b"".join(map(encode, events))
    assert decoded(wire, cuts) == [as_frame(event) for event in events]


@given(
    st.lists(RAW_EVENTS, max_size=4), st.sampled_from([b"\r\n", b"\r", b"\n"]), st.lists(st.integers(0), max_size=30)
)
def test_every_kind_of_line_end_is_understood_wherever_it_is_cut(
    events: list[RawEvent], end: bytes, cuts: list[int]
) -> None:
    wire = b"".join(map(encode, events)).replace(b"\n", end)
    # A lone CR at the end may be half of a CRLF: only what follows decides.
    frames = decoded(wire + end * 2, cuts) if end != b"\r" else decoded(wire + b"\n", cuts)
    assert frames == [as_frame(event) for event in events]


@given(st.lists(RAW_EVENTS, min_size=1, max_size=4), st.lists(st.integers(0), max_size=10))
def test_pings_between_frames_are_not_seen(events: list[RawEvent], cuts: list[int]) -> None:
    wire = PING + PING.join(map(encode, events)) + PING + DONE_FRAME
    assert decoded(wire, cuts) == [*map(as_frame, events), Frame("done", b"[DONE]", None)]


def test_a_ping_is_no_block_of_its_own() -> None:
    assert not PING.endswith(b"\n\n")


@pytest.mark.parametrize(
    ("wire", "frame"),
    [
        (b"data:x\n\n", Frame("message", b"x", None)),
        (b"data: x\n\n", Frame("message", b"x", None)),
        (b"data:  x\n\n", Frame("message", b" x", None)),
        (b"data: a\ndata: b\n\n", Frame("message", b"a\nb", None)),
        (b"data\n\n", Frame("message", b"", None)),
        (b"retry: 10\nfoo: bar\ndata: x\nid: 7\n\n", Frame("message", b"x", "7")),
        (b": note\nevent: e\ndata: x\n\n", Frame("e", b"x", None)),
    ],
)
def test_foreign_frames_are_read_by_the_standard(wire: bytes, frame: Frame) -> None:
    assert Decoder().feed(wire) == [frame]


@pytest.mark.parametrize("wire", [b": ping\n\n", b"event: x\n\n", b"id: 1\n\n", b"\n\n\n\n"])
def test_a_block_without_data_is_no_event(wire: bytes) -> None:
    assert Decoder().feed(wire) == []


def test_half_a_frame_is_no_frame() -> None:
    assert Decoder().feed(b"event: thread.run.queued\ndata: {}\n") == []
