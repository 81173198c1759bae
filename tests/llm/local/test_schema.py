"""Schemas are bounded for a small model."""

from typing import Any

import pytest

from runstead.llm.local.schema import answer_format, argument_format, required_only
from runstead.wire.options import JsonSchema, JsonSchemaFormat, ObjectFormat, TextFormat


def argument_schema(**properties: Any) -> Any:
    return argument_format({"type": "object", "properties": properties})["json_schema"]["schema"]


@pytest.mark.parametrize(
    ("given", "bounded"),
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
def test_every_text_and_list_gets_a_limit(given: Any, bounded: Any) -> None:
    assert argument_schema(a=given)["properties"]["a"] == bounded


def test_the_given_schema_is_not_changed() -> None:
    given: dict[str, Any] = {"type": "string"}
    argument_schema(a=given)
    assert given == {"type": "string"}


def test_a_schema_can_be_nested_500_levels_deep() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(500):
        schema = {"type": "array", "items": schema}
    assert argument_schema(a=schema)


def test_only_required_parameters_are_kept() -> None:
    parameters = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}
    assert required_only(parameters)["properties"].keys() == {"a"}


@pytest.mark.parametrize("required", [None, []])
def test_without_required_parameters_all_are_kept_and_required(required: Any) -> None:
    kept = required_only({"properties": {"a": {}, "b": {}}, "required": required})
    assert (kept["type"], kept["required"]) == ("object", ["a", "b"])


@pytest.mark.parametrize("parameters", [{}, {"properties": None}])
def test_missing_parameters_become_an_empty_object(parameters: dict[str, Any]) -> None:
    assert required_only(parameters)["properties"] == {}


def test_an_answer_format_enforces_the_response_format() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    fitting = answer_format(JsonSchemaFormat(json_schema=JsonSchema(name="a", schema=schema)))
    any_object = answer_format(JsonSchemaFormat(json_schema=JsonSchema(name="a")))
    assert fitting is not None
    assert fitting["json_schema"]["schema"] == schema
    assert any_object == answer_format(ObjectFormat())
    assert answer_format("auto") is None
    assert answer_format(TextFormat()) is None
