"""The function to call is chosen without the model."""

from collections.abc import Sequence
from typing import Any

import pytest

from runstead.llm.local.choice import candidates
from runstead.wire.tool import Function, FunctionName, NamedToolChoice, ToolChoice


def function(name: str, description: str = "", **parameters: Any) -> Function:
    return Function(name=name, description=description, parameters={"type": "object", "properties": parameters})


WEATHER = function("get_weather", "The weather of a city right now", city={"type": "string"})
TIME = function("get_time", "The time of day", place={"type": "string", "description": "A city or a country"})
ORDERS = function("searchOrders", "Find what was bought", state={"type": "string", "enum": ["shipped", "lost"]})
ALL = [WEATHER, TIME, ORDERS]


def chosen(
    text: str, choice: ToolChoice = "auto", functions: Sequence[Function] = ALL, *more: dict[str, Any]
) -> list[str]:
    messages = [{"role": "user", "content": text}, *more]
    return [each.name for each in candidates(functions, choice, messages)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("What is the weather in Oslo?", "get_weather"),
        ("Tell me the time in New York!", "get_time"),
        ("Search for my order", "searchOrders"),
        ("Are there orders that got lost or were shipped?", "searchOrders"),
        ("I am searching", "searchOrders"),
    ],
)
def test_words_of_a_functions_name_choose_it(text: str, name: str) -> None:
    assert chosen(text) == [name]


@pytest.mark.parametrize("text", ["What is the capital of France?", "Hello, what can you do for me?", "", "the of a"])
def test_other_words_choose_no_function(text: str) -> None:
    assert chosen(text) == []


def test_one_word_of_a_description_is_not_enough() -> None:
    assert chosen("Is Oslo a city?") == []


def test_only_the_last_message_of_the_user_counts() -> None:
    more = {"role": "assistant", "content": "Sunny."}, {"role": "user", "content": "Thanks, and what do cats eat?"}
    assert chosen("What is the weather?", "auto", ALL, *more) == []


def test_with_auto_an_output_is_followed_by_an_answer() -> None:
    output = {"role": "tool", "tool_call_id": "call_1", "content": "sunny"}
    assert chosen("What is the weather?", "auto", ALL, output) == []


def test_with_none_or_without_functions_no_function_is_chosen() -> None:
    assert chosen("What is the weather?", "none") == []
    assert chosen("What is the weather?", "required", []) == []


def test_a_forced_function_is_chosen() -> None:
    forced = NamedToolChoice(type="function", function=FunctionName(name="get_time"))
    assert chosen("What is the weather?", forced) == ["get_time"]


def test_required_chooses_the_best_score() -> None:
    assert chosen("Is Oslo a city? How is its weather?", "required") == ["get_weather"]


def test_required_leaves_equal_scores_to_the_model() -> None:
    assert chosen("Hello", "required") == ["get_weather", "get_time", "searchOrders"]


@pytest.mark.parametrize("parameters", [{}, {"properties": None}, {"properties": {"a": True}}, {"properties": []}])
def test_invalid_parameter_schemas_are_ignored(parameters: dict[str, Any]) -> None:
    assert chosen("Ping!", "auto", [Function(name="ping", parameters=parameters)]) == ["ping"]
