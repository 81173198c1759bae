"""The server's health: liveness and readiness, for people, supervisors and load balancers."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, TypeAlias

from msgspec import Struct

from runstead.api.port import Application

__all__ = ["Health", "Readiness", "health", "package_version", "readiness"]

_Phase: TypeAlias = Literal["ok", "starting", "draining"]
_State: TypeAlias = Literal["ok", "unavailable"]


class Health(Struct, frozen=True, kw_only=True):
    """The process answers. It accepts requests only while its status is `ok`."""

    status: _Phase
    version: str
    draining: bool


class Readiness(Struct, frozen=True, kw_only=True):
    """Whether calls to this server can succeed now."""

    status: Literal["ok", "starting", "draining", "unavailable"]
    """`unavailable` if any part is."""
    store: _State
    """`ok` if the database was written and read within the last seconds."""
    broker: _State
    """`ok` if a NATS server is connected, or none is needed. Without it, calls work and streams are slower."""


def health(application: Application) -> Health:
    """The application's health now."""
    return Health(status=_phase(application), version=package_version(), draining=application.draining.is_set())


async def readiness(application: Application) -> Readiness:
    """The application's readiness now; it takes a few seconds at most."""
    works = await application.parts()
    store, broker = (_state(works[part]) for part in ("store", "broker"))
    phase = _phase(application)
    whole = store == broker == "ok"
    return Readiness(status=phase if phase != "ok" or whole else "unavailable", store=store, broker=broker)


@cache
def package_version() -> str:
    """The installed version. Cached, because to look it up takes milliseconds, which every health check would cost."""
    try:
        return version("runstead")
    except PackageNotFoundError:
        return "unknown"


def _phase(application: Application) -> _Phase:
    if application.draining.is_set():
        return "draining"
    return "ok" if application.ready else "starting"


def _state(works: bool) -> _State:
    return "ok" if works else "unavailable"
