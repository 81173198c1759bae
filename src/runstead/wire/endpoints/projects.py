"""The calls that administer projects."""

from runstead.wire.endpoints.endpoint import Endpoint, Nothing
from runstead.wire.project import ProjectLimits, ProjectLimitsUpdate

__all__ = ["PROJECT_LIMITS", "UPDATE_PROJECT_LIMITS"]

PROJECT_LIMITS: Endpoint[Nothing, Nothing, ProjectLimits] = Endpoint(
    name="project_limits",
    method="GET",
    path="/organization/projects/{project_id}/limits",
    reply=ProjectLimits,
    access="admin",
    extension=True,
    beta=False,
)

UPDATE_PROJECT_LIMITS: Endpoint[Nothing, ProjectLimitsUpdate, ProjectLimits] = Endpoint(
    name="update_project_limits",
    method="POST",
    path="/organization/projects/{project_id}/limits",
    body=ProjectLimitsUpdate,
    reply=ProjectLimits,
    access="admin",
    extension=True,
    beta=False,
)
