"""The limits of JSON text, which hold before it is decoded."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstead.wire.assistant import AssistantRequest
from runstead.wire.codec.json_shape import MAX_DEPTH, MAX_VALUES, ShapeError, check_shape
from runstead.wire.codec.request import decode_request
from runstead.wire.error import BadRequest
from runstead.wire.thread import ThreadRequest

LONG = b'"' + b" " * 300_000 + b'"'
"""A string that is longer than what is read at once."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def nested(depth: int, opening: bytes = b"[", closing: bytes = b"]") -> bytes:
    return opening * depth + closing * depth


def depth_of(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth_of, inner), default=0)


@pytest.mark.parametrize(
    "text",
    [
        nested(MAX_DEPTH),
        nested(MAX_DEPTH - 1, b'{"a":', b"}").replace(b":}", b":1}"),
        b'["%b"]' % (b"[{," * 100_000),
        b'["%b"]' % (b"\\\\" * 300_000 + b'\\"[[[' * 1000),
        b"[%b,%b]" % (LONG, nested(MAX_DEPTH - 1)),
        b"[%b]" % b",".join([b"[]"] * (MAX_VALUES // 2 - 1)),
        b'["%b"]' % (b"7" * 1_000_000),
        b'["%b",%b]' % (b"7" * 10_000, b"7" * 308),
        b'["%b",%b]' % (b"1e308" * 1000, b",".join([b"1.7976931348623157E+308", b"1e23", b"true"] * 100)),
    ],
    ids=[
        "deep",
        "deep objects",
        "brackets in a string",
        "escapes",
        "deep after a long string",
        "many",
        "digits",
        "few digits",
        "exponents",
    ],
)
def test_text_within_the_limits_is_accepted(text: bytes) -> None:
    check_shape(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (nested(MAX_DEPTH + 1), "it is nested more than 128 levels deep"),
        (nested(MAX_DEPTH + 1, b'{"a":', b"}"), "it is nested more than 128 levels deep"),
        (b"[%b,%b]" % (LONG, nested(MAX_DEPTH)), "it is nested more than 128 levels deep"),
        (b'["\\\\",%b]' % nested(MAX_DEPTH), "it is nested more than 128 levels deep"),
        (b'["%b",%b]' % (b"\\\\" * 300_000, nested(MAX_DEPTH)), "it is nested more than 128 levels deep"),
        (b"[" * 10_000_000, "it has more than 50,000 values"),
        (b"[%b]" % b",".join([b"0"] * MAX_VALUES), "it has more than 50,000 values"),
        (b"{%b}" % b",".join([b'"":""'] * 1_000_000), "it has more than 50,000 values"),
        (b"[%b]" % b",".join([b"5e-324"] * 101), "it has more than 100 numbers with exponents of three digits"),
        (b"[%b]" % (b"7" * 309), "it has a number of more than 308 digits"),
        (b"[%b,-%b]" % (LONG, b"7" * 309), "it has a number of more than 308 digits"),
    ],
    ids=[
        "deep",
        "objects",
        "after a long string",
        "after a backslash",
        "after many",
        "open",
        "many",
        "keys",
        "exponents",
        "digits",
        "more digits",
    ],
)
def test_text_beyond_a_limit_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(ShapeError) as caught:
        check_shape(text)
    assert str(caught.value) == reason


@given(JSON, st.integers(1, 4), st.integers(2, 30))
def test_the_depth_and_the_values_are_those_that_a_decoder_sees(value: Any, depth: int, values: int) -> None:
    def accepts(text: bytes) -> bool:
        try:
            check_shape(text, max_depth=depth, max_values=values)
        except ShapeError:
            return False
        return True

    text = json.dumps(value).encode()
    plain = msgspec.json.encode(msgspec.json.decode(text))
    assert accepts(text) == accepts(plain)
    if accepts(text):
        assert depth_of(value) <= depth


def test_a_schema_that_is_nested_too_deeply_is_refused_and_one_below_the_limit_is_decoded() -> None:
    def body(depth: int) -> bytes:
        schema = b'{"a":' * depth + b"1" + b"}" * depth
        return b'{"model":"m","tools":[{"type":"function","function":{"name":"f","parameters":%b}}]}' % schema

    decode_request(AssistantRequest, body(MAX_DEPTH - 4))
    with pytest.raises(BadRequest, match="nested more than 128 levels deep"):
        decode_request(AssistantRequest, body(MAX_DEPTH - 3))


def test_an_error_behind_thousands_of_values_is_described_by_the_decoder() -> None:
    message = b'{"role":"user","content":[%b]}' % b",".join([b'{"type":"text","text":"x"}'] * 400)
    with pytest.raises(BadRequest) as caught:
        decode_request(ThreadRequest, b'{"messages":[%b,{}]}' % b",".join([message] * 30))
    assert caught.value.message.startswith("Invalid request: Object missing required field `role`")


def test_an_unknown_field_of_a_large_body_is_named() -> None:
    with pytest.raises(BadRequest) as caught:
        decode_request(ThreadRequest, b'{"zzz":[%b' % (b"[]," * 22_000))
    assert (caught.value.message, caught.value.param) == ("Unknown parameter: 'zzz'.", "zzz")
