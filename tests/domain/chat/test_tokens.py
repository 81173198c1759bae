from hypothesis import given
from hypothesis import strategies as st

from runstead.domain.chat import tokens
from runstead.domain.model_call import ModelRequest
from runstead.wire.content import Content, Text, TextPart
from runstead.wire.run import Usage
from runstead.wire.tool import Function


def test_english_takes_a_token_every_three_characters() -> None:
    assert tokens.of_text("The house on the hill.") == 8


def test_nothing_takes_nothing() -> None:
    assert tokens.of_text("") == 0


def test_other_scripts_take_more_tokens_a_character() -> None:
    assert tokens.of_text("дом") == 3  # two bytes each
    assert tokens.of_text("老城的书") == 7  # three bytes each


def test_a_lone_surrogate_is_counted_and_no_error() -> None:
    assert tokens.of_text("\ud800") == 1


def test_a_message_takes_its_text_and_its_borders() -> None:
    assert tokens.of_message({"role": "user", "content": "abcdef"}) == 4 + 2


def test_a_message_takes_its_calls_too() -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
    message = {"role": "assistant", "content": None, "tool_calls": [call, call]}
    assert tokens.of_message(message) == 4 + 2 * (8 + 3 + 5)


def test_an_image_takes_the_same_whatever_its_address() -> None:
    def image(url: str, detail: str) -> int:
        part = {"type": "image_url", "image_url": {"url": url, "detail": detail}}
        return tokens.of_message({"role": "user", "content": [part]})

    assert image("https://a.example/b.png", "low") == image("data:image/png;base64," + "A" * 10_000, "low") == 4 + 85
    assert image("https://a.example/b.png", "high") == image("https://a.example/b.png", "auto") == 4 + 1445


def test_a_function_takes_more_the_more_it_says() -> None:
    short = Function(name="f")
    long = Function(name="f", description="Tells the weather of a city, now and for the coming week.")
    assert 0 < tokens.of_function(short) < tokens.of_function(long)


@given(st.text(), st.text())
def test_text_is_never_counted_below_a_third_of_its_bytes_nor_above_its_bytes(one: str, other: str) -> None:
    size = len((one + other).encode())
    assert size / 3 <= tokens.of_text(one + other) <= size
    assert tokens.of_text(one + other) <= tokens.of_text(one) + tokens.of_text(other)


@given(st.lists(st.text()))
def test_a_conversation_takes_what_its_messages_take(texts: list[str]) -> None:
    messages = [{"role": "user", "content": text} for text in texts]
    assert tokens.of_messages(messages) == sum(tokens.of_message(message) for message in messages)


REQUEST = ModelRequest(model="m", messages=[{"role": "user", "content": "abcdef"}])
SAID: Content = [TextPart(text=Text(value="abcdef"))]


def counted(reported: Usage | None, thinking: str = "") -> tuple[int, int, int, int]:
    usage = tokens.of_call(reported, REQUEST, SAID, [], thinking)
    thought = usage.completion_tokens_details.reasoning_tokens
    return usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, thought


def test_a_call_is_estimated_where_its_server_counts_nothing() -> None:
    assert counted(None) == (6, 2, 8, 0)


def test_thinking_counts_as_written() -> None:
    assert counted(None, "abcdef") == (6, 4, 10, 2)


def test_a_reported_usage_is_taken_as_it_is() -> None:
    assert counted(Usage(prompt_tokens=7, completion_tokens=3, total_tokens=12), "abcdef") == (7, 3, 12, 0)


def test_a_count_of_zero_is_estimated() -> None:
    assert counted(Usage(prompt_tokens=7)) == (7, 2, 9, 0)
    assert counted(Usage(completion_tokens=3)) == (6, 3, 9, 0)
    assert counted(Usage()) == (6, 2, 8, 0)
