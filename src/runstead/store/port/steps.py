"""The port of run steps."""

from typing import Protocol

from runstead.wire.page import ListQuery, Page
from runstead.wire.run_step import RunStep

__all__ = ["Steps"]


class Steps(Protocol):
    """The steps of all runs, each after the one inserted before."""

    async def get(self, project: str, run_id: str, step_id: str) -> RunStep | None: ...
    async def insert(self, project: str, step: RunStep) -> None: ...
    async def replace(self, project: str, step: RunStep) -> bool: ...
    async def page(self, project: str, run_id: str, query: ListQuery) -> Page[RunStep] | None: ...
    async def of_run(self, run_id: str) -> list[RunStep]:
        """All steps of a run, oldest first: its journal."""
        ...
