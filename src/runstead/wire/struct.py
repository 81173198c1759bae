"""The two kinds of wire types, and the value types that they share.

An `Object` is sent by the server. Unknown fields are ignored, so a newer server does not break an older client.
A `Request` is sent by a client. Unknown fields are an error, and an absent field (`UNSET`), `None` and a value are
three different things.
"""

from enum import StrEnum
from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

__all__ = ["UNSET", "Metadata", "Name", "Object", "Request", "SortOrder", "Timestamp", "UnsetType"]


class Object(Struct, frozen=True, kw_only=True):
    """Sent by the server. Every field is always present, unless it is `UNSET`."""


class Request(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sent by a client. A field that is `UNSET` is absent."""


class SortOrder(StrEnum):
    """The order of a list, by creation. It is exact even within a second."""

    ASC = "asc"
    DESC = "desc"


Timestamp: TypeAlias = int
"""Unix time in whole seconds."""

Name: TypeAlias = Annotated[str, Meta(pattern=r"^[a-zA-Z0-9_-]+\Z", max_length=64)]
"""The name of a function or a schema, as models see it."""

MetadataKey: TypeAlias = Annotated[str, Meta(max_length=64)]
MetadataValue: TypeAlias = Annotated[str, Meta(max_length=512)]
Metadata: TypeAlias = Annotated[dict[MetadataKey, MetadataValue], Meta(max_length=16)]
"""At most 16 pairs of strings, keys of at most 64 and values of at most 512 characters."""
