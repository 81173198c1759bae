"""A Python function as a tool: its type hints and docstring make the definition that the model gets."""

import dataclasses
import datetime as dt
import enum
from functools import partial
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec
import pytest

from runstead.client.tools.docstrings import parse_docstring
from runstead.client.tools.tool import Tool, Toolbox, ToolFunction, encode_output, function_tool
from runstead.wire.struct import UNSET
from runstead.wire.tool import CodeInterpreterTool, Function, FunctionCall, FunctionTool, RequiredFunctionCall


class Unit(enum.Enum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


@dataclasses.dataclass
class Place:
    city: str
    country: str = "CH"


class Span(TypedDict):
    first: int
    last: NotRequired[int]


class Tree(msgspec.Struct):
    name: str
    children: list["Tree"] = []


def schema(kind: Any) -> Any:
    """The schema of a parameter of this type."""

    def tool(value: Any) -> None: ...

    tool.__annotations__["value"] = kind
    parameters = function_tool(tool).function.parameters
    assert parameters["required"] == ["value"]
    return parameters["properties"]["value"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Unit, {"type": "string", "enum": ["celsius", "fahrenheit"]}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        (dt.date, {"type": "string", "format": "date"}),
        (Any, {}),
        (Annotated[int, msgspec.Meta(ge=1)], {"type": "integer", "minimum": 1}),
        (
            Span,
            {
                "type": "object",
                "properties": {"first": {"type": "integer"}, "last": {"type": "integer"}},
                "required": ["first"],
            },
        ),
    ],
    ids=repr,
)
def test_a_type_hint_becomes_a_schema(kind: Any, expected: Any) -> None:
    assert schema(kind) == expected


def test_the_schema_of_a_dataclass_is_inlined() -> None:
    place = schema(list[Place])["items"]
    assert place["properties"] == {"city": {"type": "string"}, "country": {"type": "string", "default": "CH"}}
    assert place["required"] == ["city"]


def test_a_recursive_type_is_a_reference() -> None:
    def tool(tree: Tree) -> None: ...

    parameters = function_tool(tool).function.parameters
    reference = {"$ref": "#/$defs/Tree"}
    assert parameters["properties"]["tree"]["properties"]["children"]["items"] == reference
    assert parameters["$defs"]["Tree"]["properties"]["children"]["items"] == reference


def test_parameters_with_defaults_are_optional_and_show_them() -> None:
    def tool(
        title: str, days: int = 3, unit: Unit = Unit.CELSIUS, note: str | None = None, *, fast: bool = False
    ) -> None: ...

    parameters = function_tool(tool).function.parameters
    assert parameters["required"] == ["title"]
    assert parameters["additionalProperties"] is False
    defaults = {name: each["default"] for name, each in parameters["properties"].items() if "default" in each}
    assert defaults == {"days": 3, "note": None, "fast": False}


def test_a_function_without_parameters_has_an_empty_schema() -> None:
    def tool() -> None: ...

    assert function_tool(tool) == FunctionTool(
        function=Function(
            name="tool",
            description=UNSET,
            parameters={"type": "object", "properties": {}, "additionalProperties": False},
        )
    )


GOOGLE = """Tell the weather.

More about it.

Args:
    city (str): Where:
        in which town.
    days: For how long.

Returns:
    str: the weather.
"""
NUMPY = """Tell the weather.

More about it.

Parameters
----------
city : str
    Where:
    in which town.
days
    For how long.

Returns
-------
str
    The weather.
"""
SPHINX = """Tell the weather.

More about it.

:param str city: Where:
    in which town.
:param days: For how long.
:returns: the weather
"""


@pytest.mark.parametrize("docstring", [GOOGLE, NUMPY, SPHINX], ids=["google", "numpy", "sphinx"])
def test_a_docstring_describes_function_and_parameters(docstring: str) -> None:
    def weather(city: str, days: int) -> str:
        return f"{city} {days}"

    weather.__doc__ = docstring
    function = function_tool(weather).function
    assert function.description == "Tell the weather.\n\nMore about it."
    texts = {name: each["description"] for name, each in function.parameters["properties"].items()}
    assert texts == {"city": "Where: in which town.", "days": "For how long."}


@pytest.mark.parametrize(
    "docstring", [None, "", "   ", "Args:", ":param", "Parameters\n---", "---", "Args:\n  x", "a\n---"]
)
def test_a_malformed_docstring_describes_no_parameters(docstring: str | None) -> None:
    _, texts = parse_docstring(docstring)
    assert texts == {}


def test_a_docstring_without_sections_is_the_description() -> None:
    assert parse_docstring("Add: two numbers.\n\nNote: more\n  of it") == (
        "Add: two numbers.\n\nNote: more\n  of it",
        {},
    )


def test_name_and_description_can_be_overridden() -> None:
    tool = Tool(lambda: None, name="now", description="The time.")
    assert (tool.name, tool.definition.function.description) == ("now", "The time.")


def test_methods_partials_and_callable_objects_are_tools() -> None:
    class Shop:
        def price(self, item: str) -> int:
            return len(item)

        def __call__(self, item: str, count: int) -> None: ...

    for tool in (
        Tool(Shop().price),
        Tool(partial(Shop(), count=1), name="order"),
        Tool(Shop(), name="order"),
    ):
        assert tool.definition.function.parameters["properties"]["item"] == {"type": "string"}


def _unknown(value: Toolbox) -> None: ...
def _undefined(value: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821
def _many(*values: int) -> None: ...
def _others(**values: int) -> None: ...
def _nameless(value: int, /) -> None: ...
def _ambiguous(value: Place | Tree) -> None: ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (_unknown, "Toolbox'> is not supported"),
        (_undefined, "'Nowhere' is not defined"),
        (_many, r"parameter \*values"),
        (_others, r"parameter \*\*values"),
        (_nameless, "parameter value"),
        (_ambiguous, "more than one dict-like type"),
        (lambda: None, "Invalid tool name"),
    ],
)
def test_a_function_that_a_model_cannot_call_is_refused_with_the_reason(function: ToolFunction, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        Tool(function)


def test_arguments_are_converted_to_the_type_hints() -> None:
    def tool(place: Place, unit: Unit, when: dt.date, days: int = 3) -> None: ...

    text = '{"place": {"city": "Bern"}, "unit": "fahrenheit", "when": "2026-01-02", "days": "4"}'
    assert Tool(tool).arguments(text) == {
        "place": Place("Bern"),
        "unit": Unit.FAHRENHEIT,
        "when": dt.date(2026, 1, 2),
        "days": 4,
    }


def test_arguments_that_the_model_omits_use_the_function_s_defaults() -> None:
    def tool(days: int = 3) -> None: ...

    assert Tool(tool).arguments("{}") == {}
    assert Tool(tool).arguments("") == {}


@pytest.mark.parametrize("text", ["[]", "null", "{", '{"days": "x"}', '{"days": 1, "weeks": 2}'])
def test_invalid_arguments_are_refused(text: str) -> None:
    def tool(days: int = 3) -> None: ...

    with pytest.raises(msgspec.DecodeError):
        Tool(tool).arguments(text)


@pytest.mark.parametrize(
    ("value", "output"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ({"a": [1, True]}, '{"a":[1,true]}'),
        (Place("Bern"), '{"city":"Bern","country":"CH"}'),
        (dt.date(2026, 1, 2), '"2026-01-02"'),
        (ValueError("odd"), '"odd"'),
    ],
)
def test_a_result_is_encoded_as_text_or_json(value: Any, output: str) -> None:
    call = RequiredFunctionCall(id="call_1", function=FunctionCall(name="tool", arguments="{}"))
    assert encode_output(call, value) == output


def test_a_recursive_result_is_an_error_output() -> None:
    endless: list[Any] = []
    endless.append(endless)
    call = RequiredFunctionCall(id="call_1", function=FunctionCall(name="tool", arguments="{}"))
    assert "cannot be encoded as JSON" in encode_output(call, endless)


def test_two_tools_with_the_same_name_are_refused() -> None:
    with pytest.raises(TypeError, match="Two tools have the name 'a'"):
        Toolbox([Tool(lambda: 1, name="a"), Tool(lambda: 2, name="a")])


def test_tools_are_merged_with_the_assistant_s_and_replace_those_of_the_same_name() -> None:
    def kept() -> None: ...

    def mine() -> None: ...

    old = FunctionTool(function=Function(name="mine"))
    beside = Toolbox([mine]).merged_with([CodeInterpreterTool(), old, function_tool(kept)])
    assert beside == [CodeInterpreterTool(), function_tool(kept), function_tool(mine)]
