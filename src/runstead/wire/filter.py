"""Filters over the attributes of a vector store's files.

The `type` of a filter names its operator, so each operator is a type of its own with the values that it accepts.
Numbers are compared with numbers, strings with strings by their code points, and booleans for equality. A value of
another type differs: it matches `ne` and `nin` alone, and so does a file without the key.
"""

from typing import Annotated, TypeAlias

from msgspec import Meta

from runstead.wire.struct import Request

__all__ = [
    "AndFilter",
    "ComparisonFilter",
    "CompoundFilter",
    "EqualFilter",
    "Filter",
    "GreaterFilter",
    "GreaterOrEqualFilter",
    "InFilter",
    "LessFilter",
    "LessOrEqualFilter",
    "NotEqualFilter",
    "NotInFilter",
    "OrFilter",
]

_Key: TypeAlias = Annotated[str, Meta(max_length=64)]
_Text: TypeAlias = Annotated[str, Meta(max_length=512)]
_Ordered: TypeAlias = _Text | float
_Value: TypeAlias = _Text | bool | float
_Values: TypeAlias = Annotated[list[_Value], Meta(max_length=1000)]


class EqualFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="eq"):
    """The attribute equals the value."""

    key: _Key
    value: _Value


class NotEqualFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="ne"):
    """The attribute does not equal the value, or is absent."""

    key: _Key
    value: _Value


class GreaterFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="gt"):
    """The attribute is greater than the value."""

    key: _Key
    value: _Ordered


class GreaterOrEqualFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="gte"):
    """The attribute is greater than the value, or equals it."""

    key: _Key
    value: _Ordered


class LessFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="lt"):
    """The attribute is less than the value."""

    key: _Key
    value: _Ordered


class LessOrEqualFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="lte"):
    """The attribute is less than the value, or equals it."""

    key: _Key
    value: _Ordered


class InFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="in"):
    """The attribute equals one of the values."""

    key: _Key
    value: _Values


class NotInFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="nin"):
    """The attribute equals none of the values, or is absent."""

    key: _Key
    value: _Values


class AndFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="and"):
    """All of the filters match."""

    filters: Annotated[list["Filter"], Meta(min_length=1, max_length=100)]


class OrFilter(Request, frozen=True, kw_only=True, tag_field="type", tag="or"):
    """At least one of the filters matches."""

    filters: Annotated[list["Filter"], Meta(min_length=1, max_length=100)]


ComparisonFilter: TypeAlias = (
    EqualFilter
    | NotEqualFilter
    | GreaterFilter
    | GreaterOrEqualFilter
    | LessFilter
    | LessOrEqualFilter
    | InFilter
    | NotInFilter
)
CompoundFilter: TypeAlias = AndFilter | OrFilter
Filter: TypeAlias = ComparisonFilter | CompoundFilter
"""Nested to a depth that `domain.filter_size` checks."""
