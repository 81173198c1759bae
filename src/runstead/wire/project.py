"""A project, and its limits."""

from typing import Annotated, Literal, TypeAlias

from msgspec import UNSET, Meta, UnsetType

from runstead.wire.options import MAX_AMOUNT
from runstead.wire.struct import Object, Request

__all__ = ["ProjectLimits", "ProjectLimitsUpdate"]

Count: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000_000)]


class ProjectLimits(Object, frozen=True, kw_only=True):
    """The limits that a project has of its own. `null` is the server's setting, 0 is no limit."""

    object: Literal["organization.project.limits"] = "organization.project.limits"
    project_id: str
    max_running: int | None = None
    """Runs in progress; more wait."""
    max_queued: int | None = None
    """Runs that wait; more are refused."""
    max_file_bytes: int | None = None
    """Bytes of all files together; an upload beyond it is refused."""


class ProjectLimitsUpdate(Request, frozen=True, kw_only=True):
    """Changes the limits of a project: absent stays, `null` is the server's setting."""

    max_running: Count | None | UnsetType = UNSET
    max_queued: Count | None | UnsetType = UNSET
    max_file_bytes: Annotated[int, Meta(ge=0, le=MAX_AMOUNT)] | None | UnsetType = UNSET
