"""The embedded model as a `ChatModel`.

```
candidates ─┬─ none ─▶ answer_prompt ─▶ streamed text, constrained to the response format
            └─ some ─▶ choice_prompt, if several ─▶ argument_prompt, constrained to the parameters ─▶ one call
```
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from runstead.domain.model_call import Finish, ModelRequest, Piece, TextPiece, ToolCallPiece, UsagePiece
from runstead.domain.run import usage
from runstead.llm.chat_messages import new_call_id
from runstead.llm.local.choice import candidates
from runstead.llm.local.passages import citation
from runstead.llm.local.prompt import answer_prompt, argument_prompt, choice_prompt
from runstead.llm.local.schema import answer_format, argument_format, choice_format, required_only
from runstead.llm.local.slots import Slots
from runstead.llm.local.weights import check_runtime, find_weights
from runstead.llm.openai_chat.model_error import model_error
from runstead.model_server.failure import Failure
from runstead.wire.error import Closed
from runstead.wire.model import Model
from runstead.wire.run import Usage
from runstead.wire.tool import Function

__all__ = ["LocalModel"]

_MAX_ANSWER_TOKENS = 512
"""The limit if the request has none; the model does not always end by itself."""
_MAX_ARGUMENT_TOKENS = 256
_MAX_CHOICE_TOKENS = 128


class LocalModel:
    """Runs a GGUF file in this process; without a path, SmolLM2-135M-Instruct. It is for trials, not for real work."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        names: Sequence[str] = ("*",),
        slots: int = 2,
        window: int = 4096,
    ) -> None:
        self._path = path
        self._names = names
        self._slot_count = slots
        self._window = window
        self._name = path.stem if path is not None else "SmolLM2-135M-Instruct"
        self._slots: Slots | None = None

    async def start(self) -> None:
        check_runtime()
        self._slots = Slots(find_weights(self._path), slots=self._slot_count, window=self._window)

    async def stop(self) -> None:
        slots, self._slots = self._slots, None
        if slots is not None:
            await slots.close()

    def supports(self, model: str) -> bool:
        return any(fnmatchcase(model, name) for name in self._names)

    def window(self, model: str) -> int | None:
        return self._window if self.supports(model) else None

    async def models(self) -> Sequence[Model]:
        return [Model(id=self._name)]

    @asynccontextmanager
    async def reply(self, request: ModelRequest) -> AsyncIterator[AsyncIterator[Sequence[Piece]]]:
        async with aclosing(self._batches(request)) as batches:
            yield batches

    async def _batches(self, request: ModelRequest) -> AsyncGenerator[Sequence[Piece], None]:
        functions = candidates(request.functions, request.tool_choice, request.messages)
        try:
            async with aclosing(self._call(request, functions) if functions else self._answer(request)) as batches:
                async for batch in batches:
                    yield batch
        except Failure as failure:
            raise model_error(failure, self._name) from None

    def _answer(self, request: ModelRequest) -> AsyncGenerator[Sequence[Piece], None]:
        """Stream an answer in text."""
        body: dict[str, Any] = {
            "messages": answer_prompt(request.messages),
            # At a higher temperature a model this small writes nonsense, so 0 is the default. It is deterministic too.
            "temperature": 0.0 if request.temperature is None else request.temperature,
            # Without this the model repeats itself.
            "dry_multiplier": 0.8,
            "max_tokens": request.max_completion_tokens or _MAX_ANSWER_TOKENS,
        }
        if request.top_p is not None:
            body["top_p"] = request.top_p
        if (shape := answer_format(request.response_format)) is not None:
            body["response_format"] = shape
        return self._cited(self._loaded.answer(body), request)

    async def _cited(
        self, batches: AsyncGenerator[Sequence[Piece], None], request: ModelRequest
    ) -> AsyncGenerator[Sequence[Piece], None]:
        """The pieces of an answer, and before its end the marker of the passage that it is from."""
        said: list[str] = []
        async with aclosing(batches):
            async for batch in batches:
                said += [piece.text for piece in batch if isinstance(piece, TextPiece)]
                place = next((place for place, piece in enumerate(batch) if isinstance(piece, Finish)), None)
                marker = "" if place is None else citation("".join(said), request.messages)
                yield [*batch[:place], TextPiece(marker), *batch[place:]] if marker else batch

    async def _call(
        self, request: ModelRequest, functions: Sequence[Function]
    ) -> AsyncGenerator[Sequence[Piece], None]:
        """Call one of the functions."""
        function, spent = functions[0], usage.NONE
        if len(functions) > 1:
            shape = choice_format([each.name for each in functions])
            chosen = await self._write(choice_prompt(functions, request.messages), shape, _MAX_CHOICE_TOKENS)
            function, spent = next(each for each in functions if f'"{each.name}"' in chosen.text), chosen.usage
        yield [ToolCallPiece(0, new_call_id(), function.name)]
        parameters = required_only(function.parameters)
        arguments, finish = "{}", Finish("tool_calls")
        if parameters["properties"]:
            limit = min(request.max_completion_tokens or _MAX_ARGUMENT_TOKENS, _MAX_ARGUMENT_TOKENS)
            prompt = argument_prompt(function, parameters, request.messages)
            written = await self._write(prompt, argument_format(parameters), limit)
            arguments, spent = written.compact, usage.add(spent, written.usage)
            finish = Finish("length") if written.cut else finish
        yield [ToolCallPiece(0, arguments=arguments), finish, UsagePiece(spent)]

    async def _write(self, messages: list[dict[str, str]], shape: dict[str, Any], limit: int) -> "_Written":
        """Write JSON that matches a schema."""
        body = {"messages": messages, "response_format": shape, "max_tokens": limit, "temperature": 0}
        async with aclosing(self._loaded.answer(body)) as batches:
            pieces = [piece async for batch in batches for piece in batch]
        return _Written(
            text="".join(piece.text for piece in pieces if isinstance(piece, TextPiece)),
            cut=Finish("length") in pieces,
            usage=next((piece.usage for piece in pieces if isinstance(piece, UsagePiece)), usage.NONE),
        )

    @property
    def _loaded(self) -> Slots:
        if self._slots is None:
            raise Closed("The embedded model is not started, or was stopped.")
        return self._slots


class _Written(Struct, frozen=True):
    """JSON that the model wrote."""

    text: str
    cut: bool
    usage: Usage

    @property
    def compact(self) -> str:
        """The JSON without spaces between its parts; unchanged if it was cut."""
        return self.text if self.cut else msgspec.json.encode(msgspec.json.decode(self.text)).decode()
