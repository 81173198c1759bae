"""Callers: credentials as they arrive, and the scope that a call needs."""

from collections.abc import Set as AbstractSet

from msgspec import Struct

from runstead.wire.endpoints.endpoint import Access
from runstead.wire.error import Forbidden

__all__ = ["ALL_SCOPES", "DEFAULT_PROJECT", "Access", "Credentials", "require_scope"]

DEFAULT_PROJECT = "default"
"""The project of callers without a key."""

ALL_SCOPES: frozenset[Access] = frozenset({"project", "admin"})


class Credentials(Struct, frozen=True):
    """The credentials of a request, not verified yet. Their repr shows no key."""

    key: str | None = None
    project: str | None = None

    def __repr__(self) -> str:
        return f"Credentials(key={'…' if self.key else None}, project={self.project!r})"


def require_scope(scopes: AbstractSet[Access], needed: Access) -> None:
    """`Forbidden` unless `scopes` has the one that is needed."""
    if needed not in scopes:
        raise Forbidden(
            f"You have insufficient permissions for this operation. Missing scopes: {needed}.", code="missing_scope"
        )
