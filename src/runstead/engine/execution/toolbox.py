"""The tools of one run: which functions the model is offered, and which tool serves a call."""

from collections.abc import Sequence

from runstead.domain.chat.assembly import function_call
from runstead.domain.chat.offer import Offer, kind_of, offers
from runstead.domain.run.journal import FUNCTION, Call
from runstead.tools.port import Tool
from runstead.wire.run import Run
from runstead.wire.run_step import ToolCall

__all__ = ["Toolbox"]


class Toolbox:
    """The tools that the server runs for a run, beside the functions of the client.

    A name that was not offered is a function: its call goes to the client, who knows best what the model may mean.
    """

    def __init__(self, tools: Sequence[Tool], run: Run) -> None:
        self._tools = {tool.kind: tool for tool in tools}
        kinds = set(map(kind_of, run.tools))
        served = {tool.kind: tool.functions(run) for tool in tools if tool.kind in kinds}
        self.offers: Sequence[Offer] = offers(run.tools, served)
        """The functions that the model may call, unless the run's `tool_choice` is `none`."""
        self._kinds = {} if run.tool_choice == "none" else {offer.function.name: offer.tool for offer in self.offers}

    def routed(self, function: str) -> str:
        """The kind of tool that serves the calls of a function, by its name."""
        return self._kinds.get(function, FUNCTION)

    def serving(self, call: Call) -> Tool | None:
        """The tool that serves a call; None if no tool of this server does."""
        return self._tools.get(call.tool)

    def show(self, call: Call) -> ToolCall:
        """A call without its result, as the run's step shows it."""
        tool = self.serving(call)
        return function_call(call) if tool is None else tool.show(call)
