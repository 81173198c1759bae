# Generated from src/runstead/client/_async/administration.py by scripts/unasync.py. Edit that, then `make sync-client`.
"""Administration."""

from runstead.client._sync.calls import Calls
from runstead.wire.endpoints import projects as endpoint
from runstead.wire.project import ProjectLimits, ProjectLimitsUpdate
from runstead.wire.struct import UNSET, UnsetType

__all__ = ["Administration"]


class Administration(Calls):
    """`runstead.interface.Administration`."""

    def project_limits(self, project_id: str) -> ProjectLimits:
        return self._transport.call(endpoint.PROJECT_LIMITS, {"project_id": project_id})

    def update_project_limits(
        self,
        project_id: str,
        max_running: int | None | UnsetType = UNSET,
        max_queued: int | None | UnsetType = UNSET,
        max_file_bytes: int | None | UnsetType = UNSET,
    ) -> ProjectLimits:
        body = ProjectLimitsUpdate(max_running=max_running, max_queued=max_queued, max_file_bytes=max_file_bytes)
        return self._transport.call(endpoint.UPDATE_PROJECT_LIMITS, {"project_id": project_id}, body=body)
