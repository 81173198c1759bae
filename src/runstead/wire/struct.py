"""The two kinds of things that travel, and the value types they share.

An `Object` is what the server says: unknown fields are ignored, so a newer server does not break an older client.
A `Request` is what a client sends: unknown fields are refused, and an absent field (`UNSET`), `None` and a value are
three different things.
"""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

__all__ = ["UNSET", "Metadata", "Name", "Object", "Request", "SortOrder", "Timestamp", "UnsetType"]

from enum import StrEnum


class Object(Struct, frozen=True, kw_only=True):
    """Something the server says. Every field is always sent, unless it is `UNSET`."""


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a client sends. A field that is `UNSET` is not sent."""


class SortOrder(StrEnum):
    """The order of a list, by time of creation; exact within a second too."""

    ASC = "asc"
    DESC = "desc"


Timestamp: TypeAlias = int
"""Unix time in whole seconds."""

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]+\Z", max_length=64)]
"""A name that models know something by: a function, or a schema."""

MetadataKey: TypeAlias = Annotated[str, Meta(max_length=64)]
MetadataValue: TypeAlias = Annotated[str, Meta(max_length=512)]
Metadata: TypeAlias = Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=16)]
"""At most 16 pairs of strings, keys of at most 64 and values of at most 512 characters."""
