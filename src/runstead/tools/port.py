"""The port of the tools that the server runs itself.

The model sees every tool as functions. Calls of these functions run on the server, and their output is text for the
model. An error is an output too: a failing tool does not fail its run.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from runstead.domain.run.journal import Call
from runstead.wire.delta import ToolCallDelta
from runstead.wire.run import Run
from runstead.wire.run_step import ToolCall
from runstead.wire.tool import Function

__all__ = ["OnInterrupt", "SearchableStores", "Tool", "ToolError", "ToolResult", "ToolSession"]

OnInterrupt: TypeAlias = Literal["retry", "at_most_once"]
"""The handling of a call whose worker stopped in the middle of it.

`retry`: the next worker runs it again. For tools without side effects, such as a search.
`at_most_once`: it is never run again, and the model reads that its outcome is unknown. The start of such a call is
committed before the call begins.
"""


class ToolError(Exception):
    """The call failed, for a reason that the model may read. Of any other exception it reads only the type."""


class ToolResult(Struct, frozen=True, kw_only=True):
    """The result of a call."""

    output: str
    """For the model to read. The engine cuts an output that is too long."""
    shown: ToolCall
    """The call as the run's step shows it, with the id of the call; without its result if it were over 1 MiB."""


class SearchableStores(Struct, frozen=True):
    """The vector stores of a run."""

    ids: Sequence[str]
    """None twice."""
    ready: bool = True
    """All files of the thread's store can be searched; of others it is not known."""


class ToolSession(Protocol):
    """One attempt at one call."""

    @property
    def run(self) -> Run:
        """The run that the model called for, as it was when the call began."""
        ...

    @property
    def project(self) -> str:
        """The project of the run."""
        ...

    @property
    def number(self) -> int:
        """How many calls of this tool the model asked for before, in this run. The same at each attempt."""
        ...

    @property
    def room(self) -> int:
        """Tokens, about, that the output may have: the next prompt has room for so many."""
        ...

    @property
    def attempt(self) -> int:
        """The number of this attempt at the call, from 1. Numbers are never reused."""
        ...

    @property
    def key(self) -> str:
        """An idempotency key, unique to this attempt at this call of this run."""
        ...

    async def vector_stores(self) -> SearchableStores:
        """The vector stores of the run's assistant and of its thread.

        Waits a minute at most for files of the thread's store that are still being indexed.
        """
        ...

    async def progress(self, *deltas: ToolCallDelta) -> None:
        """Publish deltas of the call to the followers of the run, who add them up. Their `index` is ignored.

        Only the first attempt publishes: its followers may have seen a part. The step shows the whole call at its end.
        """
        ...


class Tool(Protocol):
    """A kind of tool that runs may have."""

    @property
    def kind(self) -> str:
        """The `type` of the tool in a run that this one implements."""
        ...

    @property
    def on_interrupt(self) -> OnInterrupt: ...

    @property
    def timeout(self) -> float:
        """Seconds after which a call is cancelled."""
        ...

    def functions(self, run: Run) -> Sequence[Function]:
        """The functions offered to the model for a run: the same ones each time. Names are unique among all tools of
        the server.
        """
        ...

    def show(self, call: Call, run: Run) -> ToolCall:
        """A call of a run without its result, as the run's step shows it. Before the model has finished asking, the
        arguments are empty; and they may be no JSON. Raises nothing.
        """
        ...

    async def run(self, call: Call, session: ToolSession) -> ToolResult:
        """Run the call. The call is cancelled at its timeout, and when its run is stopped. It then has a few seconds to
        release its resources, and must have no effects after that.
        """
        ...

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
