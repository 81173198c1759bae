"""Two small server tools: one whose calls may be retried, and one whose calls may not.

async def found(call: Call, session: ToolSession) -> str:
    return f"Nothing about {call.arguments}."

async with world(script, tools=[Search(found)]) as here: …
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import msgspec

from runstead.domain.run.journal import Call
from runstead.llm.scripted import Gate
from runstead.tools.port import OnInterrupt, ToolResult, ToolSession
from runstead.wire.delta import CodeInterpreterCallDelta, CodeInterpreterDelta
from runstead.wire.run import Run
from runstead.wire.run_step import (
    CodeInterpreter,
    CodeInterpreterCall,
    FileSearch,
    FileSearchCall,
    FileSearchResult,
    LogsOutput,
)
from runstead.wire.tool import CodeInterpreterTool, FileSearchTool, Function

__all__ = ["BOTH", "Behaviour", "Execute", "Search", "echo", "held_by"]

BOTH = (FileSearchTool(), CodeInterpreterTool())
"""The two tools, as a run names them."""

Behaviour: TypeAlias = Callable[[Call, ToolSession], Awaitable[str]]
"""The action of a call; returns the output for the model."""


async def echo(call: Call, session: ToolSession) -> str:
    """Return the name and arguments of the call."""
    return f"{call.name}: {call.arguments}"


def held_by(gate: Gate, output: str = "done") -> Behaviour:
    """A call that waits at a gate."""

    async def wait(call: Call, session: ToolSession) -> str:
        gate.reached.set()
        await gate.opened.wait()
        return output

    return wait


class Search:
    """Serves `file_search`. It changes nothing, so a call that was interrupted runs again."""

    kind = "file_search"
    on_interrupt: OnInterrupt = "retry"

    def __init__(self, behaviour: Behaviour = echo, timeout: float = 20.0) -> None:
        self.timeout = timeout
        self.began: list[str] = []
        """The idempotency keys of all attempts, in order."""
        self._behaviour = behaviour

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def functions(self, run: Run) -> Sequence[Function]:
        return [Function(name="search", description="Searches the files.")]

    def show(self, call: Call, run: Run) -> FileSearchCall:
        return FileSearchCall(id=call.id, file_search=FileSearch(ranking_options={"ranker": "auto"}))

    async def run(self, call: Call, session: ToolSession) -> ToolResult:
        self.began.append(session.key)
        output = await self._behaviour(call, session)
        found = FileSearchResult(file_id="file-1", file_name="notes.txt", score=0.5)
        search = FileSearch(ranking_options={"ranker": "auto"}, results=[found])
        return ToolResult(output=output, shown=FileSearchCall(id=call.id, file_search=search))


class Execute:
    """Serves `code_interpreter`. It may have any effect, so no call runs twice."""

    kind = "code_interpreter"
    on_interrupt: OnInterrupt = "at_most_once"

    def __init__(self, behaviour: Behaviour = echo, timeout: float = 20.0) -> None:
        self.timeout = timeout
        self.began: list[str] = []
        """The idempotency keys of all attempts, in order."""
        self._behaviour = behaviour

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def functions(self, run: Run) -> Sequence[Function]:
        return [Function(name="execute", description="Runs code.")]

    def show(self, call: Call, run: Run) -> CodeInterpreterCall:
        return CodeInterpreterCall(id=call.id, code_interpreter=CodeInterpreter(input=_code(call)))

    async def run(self, call: Call, session: ToolSession) -> ToolResult:
        self.began.append(session.key)
        await session.progress(_more(input=_code(call)))
        output = await self._behaviour(call, session)
        await session.progress(_more(outputs=[{"index": 0, "type": "logs", "logs": output}]))
        shown = CodeInterpreter(input=_code(call), outputs=[LogsOutput(logs=output)])
        return ToolResult(output=output, shown=CodeInterpreterCall(id=call.id, code_interpreter=shown))


def _code(call: Call) -> str:
    """The code, if the arguments are JSON that has some."""
    try:
        return msgspec.json.decode(call.arguments, type=dict[str, str]).get("code", "")
    except msgspec.DecodeError:
        return ""


def _more(**fields: object) -> CodeInterpreterCallDelta:
    return CodeInterpreterCallDelta(index=0, code_interpreter=msgspec.convert(fields, CodeInterpreterDelta))
