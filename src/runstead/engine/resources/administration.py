"""Calls that belong to no project, over the store."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from runstead.domain import ids
from runstead.engine.adapters import Adapters
from runstead.engine.resources.scope import Transactions
from runstead.store.port import ProjectRow, Tx
from runstead.wire.project import ProjectLimits
from runstead.wire.struct import UNSET, UnsetType

if TYPE_CHECKING:
    from runstead.interface import Administration as Interface

__all__ = ["Administration"]

_NAMESPACE = ""
"""No project has this name."""


class Administration(Transactions):
    """Implements `interface.Administration`."""

    def __init__(self, adapters: Adapters) -> None:
        super().__init__(adapters, _NAMESPACE)

    async def project_limits(self, project_id: str) -> ProjectLimits:
        ids.check_characters(project_id=project_id)
        row = await self._read(lambda tx: tx.projects.get(project_id))
        return _shown(row or ProjectRow(name=project_id, created_at=0))

    async def update_project_limits(
        self,
        project_id: str,
        max_running: int | None | UnsetType = UNSET,
        max_queued: int | None | UnsetType = UNSET,
        max_file_bytes: int | None | UnsetType = UNSET,
    ) -> ProjectLimits:
        ids.check_characters(project_id=project_id)

        async def work(tx: Tx) -> ProjectLimits:
            row = await tx.projects.get(project_id) or ProjectRow(name=project_id, created_at=self._adapters.now())
            row = replace(
                row,
                max_running=row.max_running if max_running is UNSET else max_running,
                max_queued=row.max_queued if max_queued is UNSET else max_queued,
                max_file_bytes=row.max_file_bytes if max_file_bytes is UNSET else max_file_bytes,
            )
            await tx.projects.put(row)
            return _shown(row)

        return await self._write(work)


def _shown(row: ProjectRow) -> ProjectLimits:
    return ProjectLimits(
        project_id=row.name,
        max_running=row.max_running,
        max_queued=row.max_queued,
        max_file_bytes=row.max_file_bytes,
    )


if TYPE_CHECKING:

    def _is_interface(administration: Administration) -> Interface:
        return administration
