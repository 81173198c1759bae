"""The functions that a run offers to the model. Every tool is offered as functions; a call names one of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from runstead.domain.run.journal import FUNCTION
from runstead.wire.tool import Function, FunctionTool, Tool

__all__ = ["Offer", "kind_of", "offers"]


class Offer(NamedTuple):
    """One function that the model may call, and the kind of tool that serves it."""

    tool: str
    function: Function


def offers(tools: Sequence[Tool], served: Mapping[str, Sequence[Function]]) -> list[Offer]:
    """The functions of these tools, in their order. `served` are those of the tools that the server runs, by kind."""
    offered: list[Offer] = []
    kinds: set[str] = set()
    for tool in tools:
        kind = kind_of(tool)
        if isinstance(tool, FunctionTool):
            offered.append(Offer(FUNCTION, tool.function))
        elif kind not in kinds:  # named twice, it is still one tool
            kinds.add(kind)
            offered += [Offer(kind, function) for function in served.get(kind, ())]
    return offered


def kind_of(tool: Tool) -> str:
    """The wire's name of a tool's kind."""
    return str(tool.__struct_config__.tag)
