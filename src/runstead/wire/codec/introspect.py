"""Introspection of types, for code that walks over JSON values and their types together."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, get_args, get_origin

from msgspec import Struct
from msgspec import inspect as kinds
from msgspec.structs import fields as declared_fields

__all__ = [
    "accepts_null",
    "fields_of",
    "literals",
    "options",
    "options_for",
    "pattern_in_json",
    "struct_for",
    "type_of",
]


def type_of(kind: Any) -> kinds.Type:
    """Msgspec's description of a type. Cached."""
    return _type_of(kind)


@cache
def _type_of(kind: Any) -> kinds.Type:
    return kinds.type_info(kind)


@cache
def fields_of(struct: type[Struct]) -> dict[str, kinds.Field]:
    """The fields of a struct by their names on the wire. Literals are in the order of their declaration."""
    info = kinds.type_info(struct)
    assert isinstance(info, kinds.StructType)
    for field, declared in zip(info.fields, declared_fields(struct), strict=True):
        order = {value: index for index, value in enumerate(_declared_literals(declared.type))}
        _restore_order(field.type, order)
    return {field.encode_name: field for field in info.fields}


def options(kind: kinds.Type) -> list[kinds.Type]:
    """The types that a value may have besides null: the members of a union, or the type itself."""
    if isinstance(kind, kinds.Metadata):
        return options(kind.type)
    if isinstance(kind, kinds.UnionType):
        return [each for member in kind.types for each in options(member) if not isinstance(each, kinds.NoneType)]
    return [kind]


def accepts_null(kind: kinds.Type) -> bool:
    """Whether null is a value of the type."""
    members = kind.types if isinstance(kind, kinds.UnionType) else (kind,)
    return any(isinstance(member, kinds.NoneType | kinds.AnyType) for member in members)


def options_for(choices: list[kinds.Type], value: Any) -> list[kinds.Type]:
    """Those of the choices that are encoded as the JSON type of `value`."""
    encoded = _ENCODED_AS[type(value)]
    return [choice for choice in choices if isinstance(choice, encoded)]


def struct_for(choices: Sequence[kinds.Type], value: dict[str, Any]) -> kinds.StructType | None:
    """The struct among the choices that `value` would be decoded as, by its tag; None if there is none."""
    for choice in choices:
        if isinstance(choice, kinds.StructType):
            tag = value.get(choice.tag_field or "")
            if choice.tag is None or choice.tag == tag:
                return choice
    return None


def literals(kind: kinds.LiteralType | kinds.EnumType) -> list[str]:
    """The values of an enum or a `Literal`."""
    if isinstance(kind, kinds.EnumType):
        return [member.value for member in kind.cls]
    return [str(value) for value in kind.values]


def pattern_in_json(pattern: str) -> str:
    """A Python pattern in JSON Schema's syntax, where `$` is the very end; in Python it allows a newline after it."""
    return pattern.replace(r"\Z", "$")


_ANY = (kinds.AnyType, kinds.RawType)
_ENCODED_AS: dict[type, tuple[type[kinds.Type], ...]] = {
    type(None): _ANY,
    bool: (kinds.BoolType, *_ANY),
    int: (kinds.IntType, kinds.FloatType, *_ANY),
    float: (kinds.FloatType, *_ANY),
    str: (kinds.StrType, kinds.LiteralType, kinds.EnumType, *_ANY),
    list: (kinds.ListType, *_ANY),
    dict: (kinds.StructType, kinds.DictType, *_ANY),
}


def _declared_literals(hint: Any) -> list[Any]:
    """The values of every `Literal` in a type hint, in the order of their declaration."""
    if get_origin(hint) is Literal:
        return list(get_args(hint))
    return [value for inner in get_args(hint) for value in _declared_literals(inner)]


def _restore_order(kind: kinds.Type, order: dict[Any, int]) -> None:
    """Put literals back into their order, because msgspec sorts them."""
    for option in options(kind):
        if isinstance(option, kinds.LiteralType):
            option.values = tuple(sorted(option.values, key=lambda value: order.get(value, 0)))
        elif isinstance(option, kinds.ListType):
            _restore_order(option.item_type, order)
