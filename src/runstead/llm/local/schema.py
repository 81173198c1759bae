"""JSON schemas made fit for constrained decoding: a small model writes on for ever where a schema lets it."""

from collections.abc import Mapping
from typing import Any

from runstead.wire.options import JsonSchemaFormat, ObjectFormat, ResponseFormat

__all__ = ["answer_format", "argument_format", "choice_format", "required_only"]

_LONGEST_ARGUMENT = 80
_LONGEST_TEXT = 1000
_MOST_ITEMS = 8
_DEEPEST = 32
_FREE_TEXT = frozenset({"enum", "const", "format", "pattern", "maxLength"})


def answer_format(wanted: ResponseFormat) -> dict[str, Any] | None:
    """The `response_format` that holds the model to what the user wants; None for plain text."""
    if isinstance(wanted, ObjectFormat):
        return _format({"type": "object"})
    if isinstance(wanted, JsonSchemaFormat):
        schema = wanted.json_schema.schema
        return _format(_bounded(schema or {"type": "object"}, _LONGEST_TEXT))
    return None


def argument_format(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The one for the arguments of a function."""
    return _format({**_bounded(parameters, _LONGEST_ARGUMENT), "additionalProperties": False})


def choice_format(names: list[str]) -> dict[str, Any]:
    """The one for the choice of a function."""
    return _format({"type": "object", "properties": {"function": {"enum": names}}, "required": ["function"]})


def required_only(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that must be there, or all: whatever else it may fill, a small model fills with anything."""
    properties, required = parameters.get("properties"), parameters.get("required")
    if not isinstance(properties, dict):
        return {"type": "object", "properties": {}}
    kept = {name: schema for name, schema in properties.items() if not required or name in required}
    return {**parameters, "type": "object", "properties": kept, "required": list(kept)}


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _bounded(schema: Any, longest: int, depth: int = 0) -> Any:
    """The schema with an end to every text and list that has none."""
    if isinstance(schema, list):
        return [_bounded(each, longest, depth + 1) for each in schema]
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return schema
    bounded = dict(schema)
    types = schema.get("type")
    if _is(types, "string") and not _FREE_TEXT & schema.keys():
        bounded["maxLength"] = longest
    if _is(types, "array"):
        bounded.setdefault("maxItems", max(_MOST_ITEMS, schema.get("minItems") or 0))
    for key in ("items", "prefixItems", "anyOf", "oneOf", "allOf"):
        if key in schema:
            bounded[key] = _bounded(schema[key], longest, depth + 1)
    for key in ("properties", "$defs", "definitions"):
        if isinstance(named := schema.get(key), dict):
            bounded[key] = {name: _bounded(each, longest, depth + 1) for name, each in named.items()}
    return bounded


def _is(types: Any, wanted: str) -> bool:
    return types == wanted or (isinstance(types, list) and wanted in types)
