"""How a type looks from the side of its JSON: whatever walks over values along their types asks here."""

from functools import cache
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct
from msgspec import inspect as kinds
from msgspec.structs import fields as declared_fields

__all__ = ["accepts_null", "fields_of", "literals", "options", "options_for", "pattern_in_json", "type_of"]


def type_of(kind: Any) -> kinds.Type:
    """The inside of a type."""
    return _type_of(kind)


@cache
def _type_of(kind: Any) -> kinds.Type:
    return kinds.type_info(kind)


@cache
def fields_of(struct: type[Struct]) -> dict[str, kinds.Field]:
    """The fields of a struct by their names on the wire; choices stand in the order they are declared in."""
    inside = kinds.type_info(struct)
    assert isinstance(inside, kinds.StructType)
    for field, declared in zip(inside.fields, declared_fields(struct), strict=True):
        order = {value: place for place, value in enumerate(_spelled(declared.type))}
        _restore(field.type, order)
    return {field.encode_name: field for field in inside.fields}


def options(kind: kinds.Type) -> list[kinds.Type]:
    """What a value may be besides null: the members of a union, or the type itself."""
    if isinstance(kind, kinds.Metadata):
        return options(kind.type)
    if isinstance(kind, kinds.UnionType):
        return [each for member in kind.types for each in options(member) if not isinstance(each, kinds.NoneType)]
    return [kind]


def accepts_null(kind: kinds.Type) -> bool:
    """The type takes null."""
    members = kind.types if isinstance(kind, kinds.UnionType) else (kind,)
    return any(isinstance(member, kinds.NoneType | kinds.AnyType) for member in members)


def options_for(choices: list[kinds.Type], value: Any) -> list[kinds.Type]:
    """Those of the choices that are written as the JSON type of `value`."""
    written = _WRITTEN_AS[type(value)]
    return [choice for choice in choices if isinstance(choice, written)]


def literals(kind: kinds.LiteralType | kinds.EnumType) -> list[str]:
    """The values that a choice has."""
    if isinstance(kind, kinds.EnumType):
        return [member.value for member in kind.cls]
    return [str(value) for value in kind.values]


def pattern_in_json(pattern: str) -> str:
    """A pattern as JSON Schema spells it: there `$` is the very end, in Python it lets a last newline through."""
    return pattern.replace(r"\Z", "$")


_ANY = (kinds.AnyType, kinds.RawType)
_WRITTEN_AS: dict[type, tuple[type[kinds.Type], ...]] = {
    type(None): _ANY,
    bool: (kinds.BoolType, *_ANY),
    int: (kinds.IntType, kinds.FloatType, *_ANY),
    float: (kinds.FloatType, *_ANY),
    str: (kinds.StrType, kinds.LiteralType, kinds.EnumType, *_ANY),
    list: (kinds.ListType, *_ANY),
    dict: (kinds.StructType, kinds.DictType, *_ANY),
}


def _spelled(hint: Any) -> list[Any]:
    """The values of every `Literal` inside a type hint, as they are written there."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for inner in get_args(hint) for value in _spelled(inner)]


def _restore(kind: kinds.Type, order: dict[Any, int]) -> None:
    """Put choices back in order: the inspection sorts them."""
    for option in options(kind):
        if isinstance(option, kinds.LiteralType):
            option.values = tuple(sorted(option.values, key=lambda value: order.get(value, 0)))
        elif isinstance(option, kinds.ListType):
            _restore(option.item_type, order)
