"""A Python function as a tool: its schema from type hints and docstring, and the type of its arguments. No IO."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType

from runstead.client.docstrings import described

__all__ = ["Arguments", "Schema", "arguments_of", "schema_of"]

Arguments = type[msgspec.Struct]
"""The parameters of a function as one type; one without a value was not given."""

Schema: TypeAlias = dict[str, Any]

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def arguments_of(function: Callable[..., Any], name: str) -> Arguments:
    """The type of a function's arguments. `TypeError` if a model could not give them."""
    hints = get_type_hints(_with_hints(function), include_extras=True)
    _, texts = described(inspect.getdoc(function))
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _BY_NAME:
            raise TypeError(f"parameter {parameter} cannot be given by name")
        kind = hints.get(parameter.name, Any)
        if parameter.name in texts:
            kind = Annotated[kind, Meta(description=texts[parameter.name])]
        if parameter.default is inspect.Parameter.empty:
            fields.append((parameter.name, kind))
        else:
            # The function fills in its own default.
            fields.append((parameter.name, _with_default(kind, parameter.default) | UnsetType, UNSET))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _with_hints(function: Any) -> Any:
    """What carries the type hints: the function, or the method that makes an object callable."""
    while isinstance(function, partial):
        function = function.func
    return function if inspect.isroutine(function) else type(function).__call__


def _with_default(kind: Any, default: Any) -> Any:
    """The type with its default in the schema, if that is something JSON can say."""
    if default is None or isinstance(default, bool | int | float | str):
        return Annotated[kind, Meta(extra_json_schema={"default": default})]
    return kind


def schema_of(arguments: Arguments) -> Schema:
    """The JSON Schema of a function's arguments, in one piece. `TypeError` if a type has none."""
    try:
        (schema,), definitions = msgspec.json.schema_components([arguments], ref_template="{name}")
    except TypeError as error:
        raise TypeError(str(error).splitlines()[-1]) from error
    pieces = _Pieces(definitions)
    whole = pieces.joined(schema)
    recursive = {name: pieces.joined(definitions[name], (name,)) for name in sorted(pieces.recursive)}
    return whole | ({"$defs": recursive} if recursive else {})


class _Pieces:
    """Puts what a schema refers to in its place: many a reader of schemas follows no references.

    What refers to itself stays a reference, and is noted in `recursive`.
    """

    def __init__(self, definitions: dict[str, Schema]) -> None:
        self._definitions = definitions
        self.recursive: set[str] = set()

    def joined(self, schema: Schema, inside: tuple[str, ...] = ()) -> Schema:
        """The schema without references, save to the definitions that it stands `inside` of."""
        name = schema.get("$ref")
        if name in inside:
            self.recursive.add(name)
            return schema | {"$ref": f"#/$defs/{name}"}
        if name is not None:
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            return self.joined(self._definitions[name] | beside, (*inside, name))
        return {key: self._inner(key, value, inside) for key, value in _tidy(schema).items()}

    def _inner(self, key: str, value: Any, inside: tuple[str, ...]) -> Any:
        """The value of one keyword."""
        match key, value:
            case "properties", dict():
                return {name: self.joined(each, inside) for name, each in value.items()}
            case (("items" | "additionalProperties"), dict()):
                return self.joined(value, inside)
            case (("anyOf" | "prefixItems"), list()):
                return [self.joined(each, inside) for each in value]
            case _:
                return value


def _tidy(schema: Schema) -> Schema:
    """The schema without titles and empty lists, and with the type of its choices."""
    kept = {key: value for key, value in schema.items() if key != "title" and value != []}
    choices = kept.get("enum", [0])
    return {"type": "string"} | kept if all(isinstance(choice, str) for choice in choices) else kept
