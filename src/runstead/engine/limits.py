"""The engine's default limits, for requests and projects that set none of their own."""

from msgspec import Struct

from runstead.store.port import Limits as ProjectLimits
from runstead.wire.options import OnBusy

__all__ = ["Limits"]


class Limits(Struct, frozen=True, kw_only=True):
    """The defaults of every project."""

    lifetime: int = 600
    """Seconds after its creation at which a run expires, if it does not say itself."""
    max_running: int | None = None
    """Runs of one project that are executed at once, in all processes together; more wait. None is no limit."""
    max_queued: int | None = None
    """Runs of one project that may wait; more are refused. None is no limit."""
    max_file_bytes: int | None = None
    """Bytes of all files of one project; an upload beyond it is refused. None is no limit."""
    on_busy: OnBusy = "reject"
    """The default `on_busy` of runs and messages, if neither they nor their thread has one."""

    @property
    def of_project(self) -> ProjectLimits:
        """Those that a project may have of its own."""
        return ProjectLimits(
            max_running=self.max_running, max_queued=self.max_queued, max_file_bytes=self.max_file_bytes
        )
