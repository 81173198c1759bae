"""The server's health, for people and for load balancers."""

from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from msgspec import Struct

from runstead.api.port import Application

__all__ = ["Health", "health", "package_version"]


class Health(Struct, frozen=True, kw_only=True):
    """The server's health. It accepts requests only while it is `ok`."""

    status: Literal["ok", "starting", "draining"]
    version: str
    draining: bool


def health(application: Application) -> Health:
    """The application's health now."""
    draining = application.draining.is_set()
    status: Literal["ok", "starting", "draining"] = "ok"
    if draining or not application.ready:
        status = "draining" if draining else "starting"
    return Health(status=status, version=package_version(), draining=draining)


def package_version() -> str:
    """The installed version."""
    try:
        return version("runstead")
    except PackageNotFoundError:
        return "unknown"
