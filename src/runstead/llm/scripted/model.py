"""A `ChatModel` that answers from a script."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager

from runstead.domain.model_call import CarriedPiece, Finish, ModelRequest, Piece, ToolCallPiece, UsagePiece
from runstead.llm.chat_messages import new_call_id, text_of
from runstead.llm.port import ModelError
from runstead.llm.scripted.gate import Gate, Signal
from runstead.llm.scripted.script import Act, Call, Fail, Say, Script, Turn, Wait, acts, usage, words
from runstead.wire.model import Model

__all__ = ["ScriptedModel"]

_ARGUMENT_PIECE = 8
"""Characters in a piece of arguments; few, so that short arguments have several pieces too."""


class ScriptedModel:
    """Answers from a script; `runstead.llm.scripted.script` describes the language.

    Every word counts as one token, in the usage and for `max_completion_tokens`, which cuts the answer with `length`.
    """

    def __init__(
        self,
        script: Script,
        *,
        name: str = "scripted",
        window: int | None = None,
        words_per_second: float | None = None,
    ) -> None:
        self._turn = script if callable(script) else _in_order(script)
        self._name = name
        self._window = window
        self._pause = 1 / words_per_second if words_per_second else 0.0
        self.requests: list[ModelRequest] = []
        """The requests received, in order."""
        self.closed = Signal()
        """Set when an answer was closed before its end."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    def supports(self, model: str) -> bool:
        return True

    def window(self, model: str) -> int | None:
        return self._window

    async def models(self) -> Sequence[Model]:
        return [Model(id=self._name)]

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[Sequence[Piece]]]:
        self.requests.append(request)
        async with aclosing(self._batches(request)) as batches:
            yield batches

    async def _batches(self, request: ModelRequest) -> AsyncGenerator[Sequence[Piece], None]:
        turn = acts(self._turn(request))
        sent = 0
        finish = next((act for act in turn if isinstance(act, Finish)), None)
        counted = next((act for act in turn if isinstance(act, UsagePiece)), None)
        try:
            async with aclosing(_pieces(turn)) as pieces:
                async for piece in pieces:
                    if sent == request.max_completion_tokens:
                        finish = Finish("length")
                        break
                    sent += 1
                    if self._pause:
                        await asyncio.sleep(self._pause)
                    yield [piece]
            calls = any(isinstance(act, Call) for act in turn)
            carried = [act for act in turn if isinstance(act, CarriedPiece)]
            last = finish or Finish("tool_calls" if calls else "stop")
            yield [last, counted or usage(_prompt_words(request), sent), *carried]
        except (GeneratorExit, asyncio.CancelledError):
            self.closed.set()
            raise


async def _pieces(turn: Sequence[Act]) -> AsyncGenerator[Piece, None]:
    calls = 0
    for act in turn:
        match act:
            case Say(pieces):
                for text in pieces:
                    yield text
            case Call():
                for piece in _call_pieces(calls, act):
                    yield piece
                calls += 1
            case Fail(message, code, rate_limited, retry_after):
                raise ModelError(message, code, rate_limited=rate_limited, retry_after=retry_after)
            case Gate(reached=reached, opened=opened):
                reached.set()
                await opened.wait()
            case Wait(signal):
                await signal.wait()
            case Finish() | UsagePiece() | CarriedPiece():
                pass


def _call_pieces(index: int, call: Call) -> list[ToolCallPiece]:
    size = _ARGUMENT_PIECE
    parts = [call.arguments[start : start + size] for start in range(0, len(call.arguments), size)]
    first = ToolCallPiece(index, call.id or new_call_id(), call.name)
    return [first, *(ToolCallPiece(index, arguments=part) for part in parts)]


def _in_order(turns: Iterable[Turn]) -> Callable[[ModelRequest], Turn]:
    rest = iter(turns)

    def turn(_request: ModelRequest) -> Turn:
        try:
            return next(rest)
        except StopIteration:
            raise ModelError("The script is at its end, but the model was called again.") from None

    return turn


def _prompt_words(request: ModelRequest) -> int:
    return sum(len(words(text_of(message))) for message in request.messages)
