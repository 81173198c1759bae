"""The tools of one run: which functions the model is offered, and which tool serves a call."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from runstead.domain.chat import citations
from runstead.domain.chat.assembly import function_call
from runstead.domain.chat.citations import Passage, Source
from runstead.domain.chat.offer import Offer, kind_of, offers
from runstead.domain.run.journal import FUNCTION, Call, StepLog
from runstead.tools.port import Tool
from runstead.wire.run import Run
from runstead.wire.run_step import ToolCall

__all__ = ["Toolbox"]


class Toolbox:
    """The tools that the server runs for a run, beside the functions of the client.

    A call of a function that was not offered fails at once, with a text for the model.
    """

    def __init__(self, tools: Sequence[Tool], run: Run) -> None:
        self._run = run
        self._tools = {tool.kind: tool for tool in tools}
        kinds = set(map(kind_of, run.tools))
        served = {tool.kind: tool.functions(run) for tool in tools if tool.kind in kinds}
        self.offers: Sequence[Offer] = offers(run.tools, served)
        """The functions that the model may call, unless the run's `tool_choice` is `none`."""
        self._cites = citations.FILE_SEARCH in kinds
        self._kinds = {} if run.tool_choice == "none" else {offer.function.name: offer.tool for offer in self.offers}

    def routed(self, function: str) -> str:
        """The kind of tool that serves the calls of a function, by its name."""
        return self._kinds.get(function, FUNCTION)

    def checked(self, call: Call) -> Call:
        """The call, failed if its function was not offered."""
        if call.name in self._kinds:
            return call
        known = ", ".join(sorted(self._kinds))
        there_are = f"The functions are: {known}." if known else "No function can be called here."
        return replace(call, status="failed", output=f"There is no function '{call.name[:64]}'. {there_are}")

    def serving(self, call: Call) -> Tool | None:
        """The tool that serves a call; None if no tool of this server does."""
        return self._tools.get(call.tool)

    def sources(self, steps: StepLog) -> Mapping[Passage, Source]:
        """The passages that the model may cite: none without a search in the run's files."""
        return citations.sources_of(steps).passages if self._cites else {}

    def show(self, call: Call) -> ToolCall:
        """A call without its result, as the run's step shows it."""
        tool = self.serving(call)
        return function_call(call) if tool is None else tool.show(call, self._run)
