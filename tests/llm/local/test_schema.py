"""Schemas that a small model can be held to."""

from typing import Any

import pytest

from runstead.llm.local.schema import answer_format, argument_format, required_only
from runstead.wire.options import JsonSchema, JsonSchemaFormat, ObjectFormat, TextFormat


def argument_schema(**properties: Any) -> Any:
    return argument_format({"type": "object", "properties": properties})["json_schema"]["schema"]


@pytest.mark.parametrize(
    ("given", "held_to"),
    [
        ({"type": "string"}, {"type": "string", "maxLength": 80}),
        ({"type": ["string", "null"]}, {"type": ["string", "null"], "maxLength": 80}),
        ({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 5}),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "integer"}, {"type": "integer"}),
        (
            {"type": "array", "items": {"type": "string"}},
            {"type": "array", "items": {"type": "string", "maxLength": 80}, "maxItems": 8},
        ),
        ({"type": "array", "minItems": 20}, {"type": "array", "minItems": 20, "maxItems": 20}),
        ({"anyOf": [{"type": "string"}, True]}, {"anyOf": [{"type": "string", "maxLength": 80}, True]}),
        ({"properties": {"a": {"type": "string"}}}, {"properties": {"a": {"type": "string", "maxLength": 80}}}),
    ],
)
def test_every_text_and_list_has_an_end(given: Any, held_to: Any) -> None:
    assert argument_schema(a=given)["properties"]["a"] == held_to


def test_the_schema_that_was_given_stays_as_it_is() -> None:
    given: dict[str, Any] = {"type": "string"}
    argument_schema(a=given)
    assert given == {"type": "string"}


def test_a_schema_of_any_depth_is_survived() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(500):
        schema = {"type": "array", "items": schema}
    assert argument_schema(a=schema)


def test_only_required_parameters_are_filled() -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}
    assert required_only(parameters)["properties"].keys() == {"a"}


@pytest.mark.parametrize("required", [None, []])
def test_without_a_required_one_all_are(required: Any) -> None:
    kept = required_only({"properties": {"a": {}, "b": {}}, "required": required})
    assert (kept["type"], kept["required"]) == ("object", ["a", "b"])


@pytest.mark.parametrize("parameters", [{}, {"properties": None}])
def test_no_parameters_are_none(parameters: dict[str, Any]) -> None:
    assert required_only(parameters)["properties"] == {}


def test_an_answer_is_held_to_its_format() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    fitting = answer_format(JsonSchemaFormat(json_schema=JsonSchema(name="a", schema=schema)))
    any_object = answer_format(JsonSchemaFormat(json_schema=JsonSchema(name="a")))
    assert fitting is not None
    assert fitting["json_schema"]["schema"] == schema
    assert any_object == answer_format(ObjectFormat())
    assert answer_format("auto") is None
    assert answer_format(TextFormat()) is None
