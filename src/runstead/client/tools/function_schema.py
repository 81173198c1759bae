"""The JSON Schema of a function's parameters, from its type hints and docstring. No IO."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from runstead.client.tools.docstrings import parse_docstring

__all__ = ["Arguments", "Schema", "arguments_type", "json_schema"]

Arguments = type[msgspec.Struct]
"""The parameters of a function as one type. A parameter that the model left out is `UNSET`."""

Schema: TypeAlias = dict[str, Any]

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def arguments_type(function: Callable[..., Any], name: str) -> Arguments:
    """The type of a function's arguments. `TypeError` if they cannot be passed by name as JSON."""
    hints = get_type_hints(_with_hints(function), include_extras=True)
    _, descriptions = parse_docstring(inspect.getdoc(function))
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _BY_NAME:
            raise TypeError(f"parameter {parameter} cannot be passed by name")
        kind = hints.get(parameter.name, Any)
        if parameter.name in descriptions:
            kind = Annotated[kind, Meta(description=descriptions[parameter.name])]
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, kind))
        else:
            # The function applies its own default.
            fields.append((parameter.name, _with_default(kind, parameter.default) | UnsetType, UNSET))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _with_hints(function: Any) -> Any:
    """The object with the type hints: the function, or the `__call__` of a callable object."""
    while isinstance(function, partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__


def _with_default(kind: Any, default: Any) -> Any:
    """The type with its default in the schema, if JSON can express the default."""
    if default is None or isinstance(default, bool | int | float | str):
        return Annotated[kind, Meta(extra_json_schema={"default": default})]
    return kind


def json_schema(arguments: Arguments) -> Schema:
    """The JSON Schema of a function's arguments, without references. `TypeError` if a type has no schema."""
    try:
        (schema,), definitions = msgspec.json.schema_components([arguments], ref_template="{name}")
    except TypeError as error:
        raise TypeError(str(error).splitlines()[-1]) from error
    inliner = _Inliner(definitions)
    whole = inliner.inline(schema)
    recursive = {name: inliner.inline(definitions[name], (name,)) for name in sorted(inliner.recursive)}
    return whole | ({"$defs": recursive} if recursive else {})


class _Inliner:
    """Replaces references by the schemas that they refer to, because many model servers follow no references.

    A reference inside its own definition stays. Its name is added to `recursive`.
    """

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions
        self.recursive: set[str] = set()

    def inline(self, schema: Schema, inside: tuple[str, ...] = ()) -> Schema:
        """The schema without references, except to the definitions that it is nested `inside`."""
        name = schema.get("$ref")
        if name in inside:
            self.recursive.add(name)
            return schema | {"$ref": f"#/$defs/{name}"}
        if name is not None:
            siblings = {key: value for key, value in schema.items() if key != "$ref"}
            return self.inline(self._definitions[name] | siblings, (*inside, name))
        return {key: self._inline_value(key, value, inside) for key, value in _tidy(schema).items()}

    def _inline_value(self, key: str, value: Any, inside: tuple[str, ...]) -> Any:
        """The value of a keyword, with the references in it replaced."""
        match key, value:
            case "properties", dict():
                return {name: self.inline(each, inside) for name, each in value.items()}
            case (("items" | "additionalProperties"), dict()):
                return self.inline(value, inside)
            case (("anyOf" | "prefixItems"), list()):
                return [self.inline(each, inside) for each in value]
            case _:
                return value


def _tidy(schema: Schema) -> Schema:
    """The schema without titles and empty lists. An enum of strings gets its type."""
    kept = {key: value for key, value in schema.items() if key != "title" and value != []}
    choices = kept.get("enum", [0])
    return {"type": "string"} | kept if all(isinstance(choice, str) for choice in choices) else kept
