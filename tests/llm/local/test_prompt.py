"""The prompts of the embedded model."""

from runstead.llm.local.prompt import answer_prompt, argument_prompt, choice_prompt
from runstead.wire.tool import Function

ASKS = {"role": "user", "content": "What is the weather?"}
CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}},
        {"id": "call_2", "type": "function", "function": {"name": "get_time", "arguments": "{}"}},
    ],
}
OUTPUTS = [
    {"role": "tool", "tool_call_id": "call_1", "content": "sunny"},
    {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
]


def test_text_is_passed_unchanged() -> None:
    talk = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]
    assert answer_prompt(talk) == talk


def test_a_developer_message_becomes_a_system_message() -> None:
    assert answer_prompt([{"role": "developer", "content": "Be kind."}]) == [{"role": "system", "content": "Be kind."}]


def test_without_instructions_there_are_default_ones() -> None:
    assert answer_prompt([ASKS]) == [{"role": "system", "content": "You are a helpful assistant."}, ASKS]


def test_results_are_appended_to_the_question() -> None:
    assert answer_prompt([ASKS, CALLS, *OUTPUTS])[1:] == [
        {
            "role": "user",
            "content": "What is the weather?\n\nThe result of get_weather is: sunny\n\n"
            "The result of get_time is: noon\nAnswer with this result, in one sentence.",
        }
    ]


def test_a_result_without_a_question_becomes_a_user_message() -> None:
    _, message = answer_prompt([{"role": "tool", "tool_call_id": "call_9", "content": "sunny"}])
    assert message["content"].startswith("The result of the function is: sunny")


def test_an_image_becomes_a_note() -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "http://127.0.0.1/a.png"}},
    ]
    _, message = answer_prompt([{"role": "user", "content": parts}])
    assert message["content"] == "What is this?\n(There is an image here that you cannot see.)"


def test_the_argument_prompt_has_examples_before_the_request() -> None:
    weather = Function(name="get_weather", description="The weather of a city")
    *examples, last = argument_prompt(weather, {"properties": {"city": {}, "unit": {}}}, [ASKS])
    assert [message["role"] for message in examples] == ["system", "user", "assistant", "user", "assistant"]
    assert last["content"] == (
        "Function: get_weather (The weather of a city)\nArguments: city, unit\nRequest: What is the weather?"
    )


def test_the_choice_prompt_lists_the_functions() -> None:
    message = choice_prompt([Function(name="a", description="First"), Function(name="b")], [ASKS])[-1]
    assert message["content"] == "a (First)\nb\n\nRequest: What is the weather?"
