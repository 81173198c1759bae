"""A Python function as a tool: its schema from type hints and docstring, and the reading of arguments. No IO."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from runstead.client.docstrings import described

__all__ = ["Arguments", "arguments_of", "schema_of"]

Arguments = type[msgspec.Struct]
"""The parameters of a function as one type; one without a value was not given."""

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def arguments_of(function: Callable[..., Any], name: str) -> Arguments:
    """The type of a function's arguments. `TypeError` if a model could not give them."""
    hints = get_type_hints(_with_hints(function), include_extras=True)
    _, texts = described(inspect.getdoc(function))
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _BY_NAME:
            raise TypeError(f"Tool {name!r}: parameter {parameter} cannot be given by name.")
        kind = hints.get(parameter.name, Any)
        if parameter.name in texts:
            kind = Annotated[kind, Meta(description=texts[parameter.name])]
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, kind))
        else:
            # The function fills in its own default.
            fields.append((parameter.name, _annotated_default(kind, parameter.default) | UnsetType, UNSET))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _with_hints(function: Any) -> Any:
    """What carries the type hints: the function, or the method that makes an object callable."""
    return function if inspect.isroutine(function) else type(function).__call__


def _annotated_default(kind: Any, default: Any) -> Any:
    """The type with its default in the schema, if that is something JSON can say."""
    if default is None or isinstance(default, bool | int | float | str):
        return Annotated[kind, Meta(extra_json_schema={"default": default})]
    return kind


def schema_of(arguments: Arguments) -> dict[str, Any]:
    """The JSON Schema of a function's arguments. `TypeError` if a type has none."""
    (schema,), definitions = msgspec.json.schema_components([arguments], ref_template="#/$defs/{name}")
    name = schema["$ref"].rpartition("/")[2]
    whole = _plain(definitions.pop(name))
    del whole["title"]
    return whole | ({"$defs": {key: _plain(value) for key, value in definitions.items()}} if definitions else {})


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if value != []}
