"""Callers of an application."""

from runstead.domain.access import Credentials
from runstead.engine.resources.caller import Caller
from runstead.engine.resources.project import Project
from runstead.worker.application import Application

__all__ = ["entered", "project_of"]


async def entered(application: Application) -> Caller:
    """The caller without credentials."""
    return await application.enter(Credentials())


def project_of(application: Application, name: str) -> Project:
    """Another project, as a caller with a key for it would get it."""
    return application._caller(name).project
