"""Server-sent events: frames encoded, and decoded however their bytes are cut."""

import itertools
import json
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.wire.codec.sse import DONE_FRAME, PING, Decoder, Frame, encode
from runstead.wire.error import ServerError
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


def decoded(wire: bytes, cuts: list[int]) -> list[Frame]:
    """The frames of bytes that arrive in chunks, cut at these places."""
    places = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    decoder = Decoder()
    return [frame for here, there in itertools.pairwise(places) for frame in decoder.feed(wire[here:there])]


def as_frame(event: RawEvent) -> Frame:
    return Frame(event.name, event.data, str(event.at))


def test_a_frame_has_an_id_an_event_and_a_data_line() -> None:
    event = RawEvent(Position(17, 4), EventName.MESSAGE_DELTA, b'{"a":1}')
    assert encode(event) == b'id: 17.4\nevent: thread.message.delta\ndata: {"a":1}\n\n'


def test_the_id_of_a_stored_event_is_an_integer() -> None:
    assert encode(RawEvent(Position(3), EventName.RUN_QUEUED, b"{}")).startswith(b"id: 3\n")


def test_the_last_frame_is_done() -> None:
    assert DONE_FRAME == b"event: done\ndata: [DONE]\n\n"
    assert Decoder().feed(DONE_FRAME) == [Frame("done", b"[DONE]", None)]


@given(st.lists(RAW_EVENTS, max_size=5), st.lists(st.integers(0), max_size=20))
def test_frames_are_decoded_wherever_they_are_cut(events: list[RawEvent], cuts: list[int]) -> None:
    wire = b"".join(map(encode, events))
    assert decoded(wire, cuts) == [as_frame(event) for event in events]


@given(
    st.lists(RAW_EVENTS, max_size=4), st.sampled_from([b"\r\n", b"\r", b"\n"]), st.lists(st.integers(0), max_size=30)
)
def test_every_line_end_is_accepted_wherever_it_is_cut(events: list[RawEvent], end: bytes, cuts: list[int]) -> None:
    wire = b"".join(map(encode, events)).replace(b"\n", end)
    # A lone CR at the end may be half of a CRLF: only what follows decides.
    frames = decoded(wire + end * 2, cuts) if end != b"\r" else decoded(wire + b"\n", cuts)
    assert frames == [as_frame(event) for event in events]


@given(st.lists(RAW_EVENTS, min_size=1, max_size=4), st.lists(st.integers(0), max_size=10))
def test_pings_between_frames_are_ignored(events: list[RawEvent], cuts: list[int]) -> None:
    wire = PING + PING.join(map(encode, events)) + PING + DONE_FRAME
    assert decoded(wire, cuts) == [*map(as_frame, events), Frame("done", b"[DONE]", None)]


def test_a_ping_has_no_blank_line() -> None:
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
def test_frames_of_other_servers_are_decoded_as_the_standard_says(wire: bytes, frame: Frame) -> None:
    assert Decoder().feed(wire) == [frame]


@pytest.mark.parametrize("wire", [b": ping\n\n", b"event: x\n\n", b"id: 1\n\n", b"\n\n\n\n"])
def test_a_block_without_data_is_ignored(wire: bytes) -> None:
    assert Decoder().feed(wire) == []


def test_an_incomplete_frame_is_not_returned() -> None:
    assert Decoder().feed(b"event: thread.run.queued\ndata: {}\n") == []


def read_by_the_standard(wire: bytes) -> list[Frame]:
    """The frames of whole lines, as the standard's algorithm reads them."""
    frames = []
    fields: dict[str, list[str]] = {}
    for line in wire.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")[:-1]:
        if line:
            name, _, value = line.partition(":")
            fields.setdefault(name, []).append(value.removeprefix(" "))
            continue
        if "data" in fields:
            event, id = fields.get("event", [""])[-1], fields.get("id", [None])[-1]
            frames.append(Frame(event or "message", "\n".join(fields["data"]).encode(), id))
        fields = {}
    return frames


@given(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS))), st.lists(st.integers(0, 10**6), max_size=20))
def test_any_lines_are_read_as_the_standard_says_wherever_they_are_cut(
    parts: list[tuple[bytes, bytes]], cuts: list[int]
) -> None:
    wire = b"".join(line + end for line, end in parts)
    assert decoded(wire, cuts) == read_by_the_standard(wire)


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_bytes_that_are_no_text_raise_no_other_error(chunks: list[bytes]) -> None:
    decoder = Decoder()
    for chunk in chunks:
        assert all(isinstance(frame, Frame) for frame in decoder.feed(chunk))


def test_bytes_of_names_that_are_not_utf_8_are_replaced() -> None:
    wire = b"id: 1\xff\nevent: a\xff\ndata: \xff\n\n"
    assert Decoder().feed(wire) == [Frame("a\ufffd", b"\xff", "1\ufffd")]
    assert Decoder().feed(b": x\n" + wire) == [Frame("a\ufffd", b"\xff", "1\ufffd")]


def read(decoder: Decoder, chunks: list[bytes]) -> list[Frame]:
    return [frame for chunk in chunks for frame in decoder.feed(chunk)]


@pytest.mark.parametrize(
    "chunks",
    [
        [b"data: " + b"x" * 200],
        [b"x" * 30] * 7,
        [b"event: e\ndata: " + b"x" * 200 + b"\n\n"],
        [b"data: " + b"x" * 60 + b"\n"] * 4,
        [b"data\n"] * 300,
        [b": " + b"x" * 200 + b"\n"],
    ],
    ids=["a line", "a line in chunks", "a usual frame", "data over lines", "empty data lines", "a comment"],
)
def test_an_event_above_the_limit_is_refused(chunks: list[bytes]) -> None:
    with pytest.raises(ServerError, match="more than 200 bytes"):
        read(Decoder(max_frame=200), chunks)


def test_many_events_and_pings_are_within_the_limit_of_one() -> None:
    decoder = Decoder(max_frame=40)
    frame = b"event: e\ndata: x\n\n"
    assert len([found for _ in range(50) for found in decoder.feed(frame + PING)]) == 50
    assert decoder.feed(frame * 50) == [Frame("e", b"x", None)] * 50


def seconds_to_read(size: int) -> float:
    """Processor time for one line of this many bytes in small chunks."""
    decoder = Decoder()
    chunk = b"x" * 512
    before = process_time()
    for _ in range(size // len(chunk)):
        decoder.feed(chunk)
    return process_time() - before


def test_the_time_for_a_line_grows_with_its_length_and_not_with_its_square() -> None:
    small = min(seconds_to_read(2**20) for _ in range(3))
    assert min(seconds_to_read(8 * 2**20) for _ in range(3)) < 24 * small  # the square would be 64
