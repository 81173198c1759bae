"""The port of the tools that the server runs itself.

The model sees every tool as functions. What it calls by the name of one of them is run here, and what comes out is
text for the model to read: also what went wrong. A tool that fails does not fail its run.
"""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct

from runstead.domain.run.journal import Call
from runstead.wire.delta import ToolCallDelta
from runstead.wire.run import Run
from runstead.wire.run_step import ToolCall
from runstead.wire.tool import Function

__all__ = ["OnInterrupt", "Tool", "ToolError", "ToolResult", "ToolSession"]

OnInterrupt: TypeAlias = Literal["retry", "at_most_once"]
"""What becomes of a call whose worker stopped in the middle of it.

`retry`: the next worker runs it again. For tools that change nothing: a search, a reading.
`at_most_once`: it is never run again, and the model is told that its outcome is unknown. That such a call starts is
committed before it does.
"""


class ToolError(Exception):
    """The call failed, for a reason that the model can read. Any other exception is told by its type alone."""


class ToolResult(Struct, frozen=True, kw_only=True):
    """What a call came to."""

    output: str
    """For the model to read. The engine cuts an output that is too long."""
    shown: ToolCall
    """The call as the run's step shows it, with the id of the call; without its result if it were over 1 MiB."""


class ToolSession(Protocol):
    """One attempt at one call."""

    @property
    def run(self) -> Run:
        """The run that the model called for, as it was when the call began."""
        ...

    @property
    def attempt(self) -> int:
        """Which attempt at this call this is, from 1 on; a number that was given is never given again."""
        ...

    @property
    def key(self) -> str:
        """An idempotency key: the same for nothing but this attempt at this call of this run."""
        ...

    async def progress(self, *deltas: ToolCallDelta) -> None:
        """Publish more of the call to the followers of the run, who add the deltas up; their `index` does not matter.

        Followers of a first attempt may have seen a part of it, so of later attempts nothing is published: the step
        shows the whole call once it has ended.
        """
        ...


class Tool(Protocol):
    """A kind of tool that runs may have."""

    @property
    def kind(self) -> str:
        """The `type` of the run's tool that it serves."""
        ...

    @property
    def on_interrupt(self) -> OnInterrupt: ...

    @property
    def timeout(self) -> float:
        """Seconds that one call may take; then it is cancelled."""
        ...

    def functions(self, run: Run) -> Sequence[Function]:
        """The functions that the model is offered for a run, always the same ones for the same run. No other tool of
        the server has a function of their names.
        """
        ...

    def show(self, call: Call) -> ToolCall:
        """A call without its result, as the run's step shows it. Before the model has finished asking, the arguments
        are empty; and they may be no JSON. Raises nothing.
        """
        ...

    async def run(self, call: Call, session: ToolSession) -> ToolResult:
        """Run the call. It is cancelled when it takes too long, and when its run must not go on: then it has a few
        seconds to let go of what it holds, and writes nothing anywhere after that.
        """
        ...

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
