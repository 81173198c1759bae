"""Fields that are left out, renamed or added."""

import datetime
from typing import Any

import pytest

from runstead.llm.openai_chat.request.field_settings import OPTIONAL_FIELDS, Fields
from runstead.llm.openai_chat.upstream import Upstream
from runstead.wire.error import RunsteadError

BODY = {"model": "m", "messages": [], "stream": True, "stream_options": {}, "top_p": 0.5, "max_tokens": 9}


def upstream(**settings: Any) -> Upstream:
    return Upstream(**{"url": "http://127.0.0.1/v1", "name": "main", **settings})


def sent(**settings: Any) -> dict[str, Any]:
    return upstream(**settings).fields.apply(BODY)


def test_without_settings_every_field_is_sent() -> None:
    assert sent() == BODY


def test_fields_are_left_out() -> None:
    assert sent(leave_out=("top_p", "stream_options")) == {
        "model": "m",
        "messages": [],
        "stream": True,
        "max_tokens": 9,
    }


def test_without_streaming_there_are_no_options_of_it() -> None:
    assert sent(leave_out=("stream",)) == {"model": "m", "messages": [], "top_p": 0.5, "max_tokens": 9}


def test_functions_are_not_strict_if_that_is_left_out() -> None:
    tools = [{"type": "function", "function": {"name": "a", "strict": True}}, {"function": {"name": "b"}}]
    fields = upstream(leave_out=("strict",)).fields
    assert fields.apply({"tools": tools})["tools"] == [
        {"type": "function", "function": {"name": "a"}},
        {"function": {"name": "b"}},
    ]
    assert fields.apply(BODY) == BODY


def test_fields_are_renamed() -> None:
    assert sent(rename={"max_tokens": "max_new_tokens"}) == {
        **{name: value for name, value in BODY.items() if name != "max_tokens"},
        "max_new_tokens": 9,
    }


def test_fields_are_added_unless_the_request_has_them() -> None:
    add = {"top_p": 0.9, "temperature": 0.6, "chat_template_kwargs": {"enable_thinking": False}}
    assert sent(add=add) == {**BODY, "temperature": 0.6, "chat_template_kwargs": {"enable_thinking": False}}
    assert sent(leave_out=("stream_options",), add={"stream_options": [1]})["stream_options"] == [1]


def test_settings_add_to_the_preset_and_win_over_it() -> None:
    fields = upstream(preset="openai", leave_out=("top_p",)).fields
    assert fields == Fields(leave_out=frozenset({"top_p"}), rename={"max_tokens": "max_completion_tokens"})
    assert upstream(preset="openai", rename={"max_tokens": "max_tokens"}).fields.wire_name("max_tokens") == "max_tokens"
    assert upstream(preset="openai", leave_out=("max_tokens",)).fields == Fields(leave_out=frozenset({"max_tokens"}))
    assert upstream(preset="mistral", leave_out=("top_p",)).fields.leave_out == {"stream_options", "top_p"}
    assert upstream(preset="mistral", rename={"stream_options": "stream_options"}).fields.leave_out == set()


NAMES = f"(there are: {', '.join(OPTIONAL_FIELDS)})"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"leave_out": ("topp",)}, f"`leave_out` names 'topp', which is no optional field of a request {NAMES}."),
        (
            {"leave_out": ("messages",)},
            f"`leave_out` names 'messages', which is no optional field of a request {NAMES}.",
        ),
        ({"rename": {"strict": "y"}}, f"`rename` names 'strict', which is no optional field of a request {NAMES}."),
        ({"rename": {"x": "y"}}, f"`rename` names 'x', which is no optional field of a request {NAMES}."),
        ({"rename": {"top_p": ""}}, "`rename` gives 'top_p' the name '', which is empty."),
        ({"rename": {"top_p": "model"}}, "`rename` gives 'top_p' the name 'model', which another field has."),
        ({"rename": {"top_p": "stream"}}, "`rename` gives 'top_p' the name 'stream', which another field has."),
        (
            {"rename": {"top_p": "p", "temperature": "p"}},
            "`rename` gives 'top_p' the name 'p', which another field has.",
        ),
        ({"leave_out": ("top_p",), "rename": {"top_p": "p"}}, "'top_p' is in `leave_out` and in `rename`."),
        ({"add": {"messages": []}}, "`add` names 'messages', which every request has."),
        ({"add": {"stream": False}}, "`add` names 'stream', which every request has."),
        ({"add": {"a": {"b": [datetime.date(2026, 1, 1)]}}}, "`add` gives 'a' a value that is not JSON."),
        ({"preset": "opena"}, "there is no preset 'opena' (there are: generic, openai, azure, "),
        ({"preset": "azure", "url": None}, "the preset 'azure' needs a `url`."),
        ({"url": None}, "give `url` or `preset`."),
    ],
)
def test_invalid_settings_are_refused_in_words(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(RunsteadError) as refused:
        upstream(**settings)
    assert str(refused.value).startswith(f"Upstream 'main': {words}")
