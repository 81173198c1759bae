"""The port of run steps."""

from typing import Protocol

from runstead.domain.run.journal import StepRow
from runstead.wire.page import ListQuery, Page
from runstead.wire.run import Usage
from runstead.wire.run_step import RunStep

__all__ = ["Steps"]


class Steps(Protocol):
    """The steps of all runs, each after the one inserted before, whatever their times say: the wire's, and their
    rows in the journal.
    """

    async def get(self, project: str, run_id: str, step_id: str) -> RunStep | None: ...
    async def insert(self, project: str, row: StepRow) -> None: ...
    async def replace(self, project: str, row: StepRow) -> bool: ...
    async def page(self, project: str, run_id: str, query: ListQuery) -> Page[RunStep] | None: ...
    async def newest(self, run_id: str, limit: int) -> list[StepRow]:
        """Up to `limit` steps of a run, newest first."""
        ...

    async def spent(self, run_id: str) -> Usage:
        """The usage of all steps of a run."""
        ...

    async def of_run(self, run_id: str) -> list[StepRow]:
        """All steps of a run, oldest first: its journal."""
        ...
