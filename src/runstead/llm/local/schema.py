"""Bounds JSON schemas for constrained decoding: a small model writes without end where a schema allows it."""

from collections.abc import Mapping
from typing import Any

from runstead.wire.options import JsonSchemaFormat, ObjectFormat, ResponseFormat

__all__ = ["answer_format", "argument_format", "choice_format", "required_only"]

_MAX_ARGUMENT_LENGTH = 80
_MAX_TEXT_LENGTH = 1000
_MAX_ITEMS = 8
_MAX_DEPTH = 32
_BOUNDED_BY = frozenset({"enum", "const", "format", "pattern", "maxLength"})


def answer_format(wanted: ResponseFormat) -> dict[str, Any] | None:
    """The `response_format` that enforces the format of a request; None for plain text."""
    if isinstance(wanted, ObjectFormat):
        return _format({"type": "object"})
    if isinstance(wanted, JsonSchemaFormat):
        schema = wanted.json_schema.schema
        return _format(_bounded(schema or {"type": "object"}, _MAX_TEXT_LENGTH))
    return None


def argument_format(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The `response_format` for the arguments of a function."""
    return _format({**_bounded(parameters, _MAX_ARGUMENT_LENGTH), "additionalProperties": False})


def choice_format(names: list[str]) -> dict[str, Any]:
    """The `response_format` for the choice of a function."""
    return _format({"type": "object", "properties": {"function": {"enum": names}}, "required": ["function"]})


def required_only(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The required parameters, or all if none is required: a small model fills optional ones with nonsense."""
    properties, required = parameters.get("properties"), parameters.get("required")
    if not isinstance(properties, dict):
        return {"type": "object", "properties": {}}
    kept = {name: schema for name, schema in properties.items() if not required or name in required}
    return {**parameters, "type": "object", "properties": kept, "required": list(kept)}


def _format(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _bounded(schema: Any, max_length: int, depth: int = 0) -> Any:
    """The schema with a limit on every text and list that has none."""
    if isinstance(schema, list):
        return [_bounded(each, max_length, depth + 1) for each in schema]
    if not isinstance(schema, dict) or depth > _MAX_DEPTH:
        return schema
    bounded = dict(schema)
    types = schema.get("type")
    if _has_type(types, "string") and not _BOUNDED_BY & schema.keys():
        bounded["maxLength"] = max_length
    if _has_type(types, "array"):
        bounded.setdefault("maxItems", max(_MAX_ITEMS, schema.get("minItems") or 0))
    for key in ("items", "prefixItems", "anyOf", "oneOf", "allOf"):
        if key in schema:
            bounded[key] = _bounded(schema[key], max_length, depth + 1)
    for key in ("properties", "$defs", "definitions"):
        if isinstance(named := schema.get(key), dict):
            bounded[key] = {name: _bounded(each, max_length, depth + 1) for name, each in named.items()}
    return bounded


def _has_type(types: Any, wanted: str) -> bool:
    return types == wanted or (isinstance(types, list) and wanted in types)
