"""A caller: the project whose calls these are, and the access that they have."""

from collections.abc import Set as AbstractSet

from msgspec import Struct

from runstead.domain.access import Access
from runstead.engine.resources.administration import Administration
from runstead.engine.resources.project import Project

__all__ = ["Caller"]


class Caller(Struct, frozen=True, kw_only=True):
    """The interfaces that a caller may use, as far as the scopes allow it."""

    project: Project
    administration: Administration
    scopes: AbstractSet[Access]
    key_id: str | None = None
    """The key that was presented; None where none is asked for."""
