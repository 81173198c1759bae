"""Routes a request to an upstream by its model name."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack

from msgspec.structs import replace

from runstead.domain.model_call import ModelRequest, Piece
from runstead.llm.port import ChatModel, ModelError
from runstead.wire.error import RunsteadError
from runstead.wire.model import Model

__all__ = ["Router"]


class Router:
    """Sends a request to the first of `upstreams` that supports its model.

    An alias names a model and never another alias, so that one line of the configuration shows what a name stands for.
    """

    def __init__(self, upstreams: Sequence[ChatModel], aliases: Mapping[str, str] | None = None) -> None:
        self._upstreams = list(upstreams)
        self._aliases = dict(aliases or {})
        self._stack = AsyncExitStack()
        for alias, model in self._aliases.items():
            if model in self._aliases:
                raise RunsteadError(
                    f"The alias '{alias}' leads to '{model}', which is an alias too. Name the model itself."
                )
            if self._upstream(model) is None:
                raise RunsteadError(f"The alias '{alias}' leads to '{model}', which no upstream supports.")

    async def start(self) -> None:
        async with AsyncExitStack() as started:
            for upstream in self._upstreams:
                await upstream.start()
                started.push_async_callback(upstream.stop)
            self._stack = started.pop_all()

    async def stop(self) -> None:
        await self._stack.aclose()

    def supports(self, model: str) -> bool:
        return self._upstream(self._resolve(model)) is not None

    def window(self, model: str) -> int | None:
        name = self._resolve(model)
        upstream = self._upstream(name)
        return upstream.window(name) if upstream is not None else None

    async def models(self) -> Sequence[Model]:
        lists = await asyncio.gather(*(upstream.models() for upstream in self._upstreams))
        # An upstream may list a name that is routed to another upstream. Listing it would promise the wrong model.
        listed = [
            model
            for upstream, models in zip(self._upstreams, lists, strict=True)
            for model in models
            if model.id not in self._aliases and self._upstream(model.id) is upstream
        ]
        aliases = [Model(id=alias, owned_by=f"alias of {model}") for alias, model in self._aliases.items()]
        return list({model.id: model for model in (*aliases, *listed)}.values())

    def reply(self, request: ModelRequest) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Piece]]]:
        name = self._resolve(request.model)
        upstream = self._upstream(name)
        if upstream is None:
            raise ModelError(f"No model server is set up for the model '{name}'.")
        return upstream.reply(replace(request, model=name) if name != request.model else request)

    def _resolve(self, model: str) -> str:
        return self._aliases.get(model, model)

    def _upstream(self, model: str) -> ChatModel | None:
        return next((upstream for upstream in self._upstreams if upstream.supports(model)), None)
