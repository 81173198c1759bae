"""The port of projects: what one of them may use, where it differs from the server's configuration."""

from typing import Protocol

from msgspec import Struct

from runstead.wire.page import ListQuery, Page

__all__ = ["Limits", "ProjectRow", "Projects"]


class Limits(Struct, frozen=True, kw_only=True):
    """The limits of a project; None is no limit."""

    max_running: int | None = None
    """Runs in progress or cancelling, in all processes together; more wait."""
    max_queued: int | None = None
    """Runs that wait; more are refused."""
    max_file_bytes: int | None = None
    """Bytes of all files together; an upload beyond it is refused."""


class ProjectRow(Struct, frozen=True, kw_only=True):
    """A project's own limits. None is the server's default, 0 is no limit."""

    name: str
    created_at: int
    max_running: int | None = None
    max_queued: int | None = None
    max_file_bytes: int | None = None

    @property
    def id(self) -> str:
        """A project is known by its name."""
        return self.name


class Projects(Protocol):
    """The projects that have limits of their own. A project without a row has the server's."""

    async def get(self, name: str) -> ProjectRow | None: ...
    async def put(self, row: ProjectRow) -> None:
        """Write the limits of a project, whether it had some or not. When it was created stays as it was first said."""
        ...

    async def delete(self, name: str) -> bool:
        """Remove the limits of a project; False if it had none."""
        ...

    async def limits(self, name: str, defaults: Limits) -> Limits:
        """The limits that apply to a project."""
        ...

    async def page(self, query: ListQuery) -> Page[ProjectRow] | None: ...
