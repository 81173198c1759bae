"""Administration."""

from runstead.client._async.calls import AsyncCalls
from runstead.wire.endpoints import projects as endpoint
from runstead.wire.project import ProjectLimits, ProjectLimitsUpdate
from runstead.wire.struct import UNSET, UnsetType

__all__ = ["AsyncAdministration"]


class AsyncAdministration(AsyncCalls):
    """`runstead.interface.Administration`."""

    async def project_limits(self, project_id: str) -> ProjectLimits:
        return await self._transport.call(endpoint.PROJECT_LIMITS, {"project_id": project_id})

    async def update_project_limits(
        self,
        project_id: str,
        max_running: int | None | UnsetType = UNSET,
        max_queued: int | None | UnsetType = UNSET,
        max_file_bytes: int | None | UnsetType = UNSET,
    ) -> ProjectLimits:
        body = ProjectLimitsUpdate(max_running=max_running, max_queued=max_queued, max_file_bytes=max_file_bytes)
        return await self._transport.call(endpoint.UPDATE_PROJECT_LIMITS, {"project_id": project_id}, body=body)
