"""The interface of an installation as a whole."""

from typing import Protocol

from runstead.wire.project import ProjectLimits
from runstead.wire.struct import UNSET, UnsetType

__all__ = ["Administration"]


class Administration(Protocol):
    """Calls that belong to no project. They need the scope `admin`."""

    async def project_limits(self, project_id: str) -> ProjectLimits:
        """The limits that a project has of its own; without any, the server's settings hold."""
        ...

    async def update_project_limits(
        self,
        project_id: str,
        max_running: int | None | UnsetType = UNSET,
        max_queued: int | None | UnsetType = UNSET,
        max_file_bytes: int | None | UnsetType = UNSET,
    ) -> ProjectLimits:
        """Change the limits that are given: absent ones stay, `None` is the server's setting, 0 is no limit.

        Runs and files that exist are not touched.
        """
        ...
